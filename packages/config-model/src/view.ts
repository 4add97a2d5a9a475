import type { Change, Collection } from '@heddle/runtime'
import { type Age, ageOf, compareAge } from './age.js'
import { type BucketMap, createBucketMap } from './bucket-map.js'
import type { Catalog } from './catalog/catalog.js'
import type { MeshService, ServiceEndpoint } from './catalog/service.js'
import { endpointsKey } from './catalog/service-endpoints.js'
import type { KindCollections } from './catalog/sources.js'
import type { SidecarHostPolicy } from './catalog/virtual-hosts.js'
import type { AnyResource, KindName, KindOf } from './kinds/index.js'
import type { MeshConfig } from './kinds/mesh-config.js'
import type { MeshSnapshot } from './snapshot.js'
import { compareText, createSortedList, type Order, type SortedList } from './sorted-list.js'

/** Keeps the snapshot of the collections: each batch copies only what it changed. */
export interface View {
  readonly current: MeshSnapshot
  /** Makes what changed since the last call the current snapshot, which stays the same when nothing did. */
  publish(): MeshSnapshot
}

interface Listed<T> {
  list: SortedList<T>
  byKey: BucketMap<T>
}

export function createView(
  sources: KindCollections,
  catalog: Catalog,
  meshConfigs: Collection<MeshConfig>,
  sidecarHosts: SidecarHostPolicy,
): View {
  const kinds = new Map<string, Listed<AnyResource>>()
  let changed = false
  for (const [name, source] of Object.entries(sources)) {
    kinds.set(name, { list: createSortedList(BY_AGE), byKey: createBucketMap() })
    ;(source as unknown as Collection<AnyResource>).subscribe((changes) => {
      changed = true
      kinds.set(name, listed(kinds.get(name)!, changes))
    })
  }
  let services = createSortedList(BY_HOST).with(additions(catalog.services))
  let byHost = createBucketMap<readonly MeshService[]>()
  catalog.services.subscribe((changes) => {
    changed = true
    services = services.with(changes)
    byHost = regroup(byHost, changes)
  })
  let endpoints = createBucketMap<readonly ServiceEndpoint[]>()
  catalog.endpoints.subscribe((changes) => {
    changed = true
    endpoints = endpoints.with(changes.map(({ key, after }) => [key, after] as const))
  })
  meshConfigs.subscribe(() => {
    changed = true
  })
  const take = (revision: number): MeshSnapshot =>
    snapshotOf({ revision, sidecarHosts, meshConfig: meshConfigs.get('')! }, new Map(kinds), services, byHost, endpoints)
  let current = take(0)
  return {
    get current() {
      return current
    },
    publish() {
      if (changed) current = take(current.revision + 1)
      changed = false
      return current
    },
  }
}

function snapshotOf(
  plain: Pick<MeshSnapshot, 'revision' | 'sidecarHosts' | 'meshConfig'>,
  kinds: ReadonlyMap<string, Listed<AnyResource>>,
  services: SortedList<MeshService>,
  byHost: BucketMap<readonly MeshService[]>,
  endpoints: BucketMap<readonly ServiceEndpoint[]>,
): MeshSnapshot {
  return {
    ...plain,
    list: <K extends KindName>(kind: K) => (kinds.get(kind)?.list.toArray() ?? NONE) as unknown as readonly KindOf<K>[],
    get: <K extends KindName>(kind: K, namespace: string, name: string) =>
      kinds.get(kind)?.byKey.get(`${namespace}/${name}`) as KindOf<K> | undefined,
    get services() {
      return services.toArray()
    },
    servicesOf: (hostname) => byHost.get(hostname) ?? NONE,
    endpoints: (service, portName) => endpoints.get(endpointsKey(service, portName)) ?? NONE,
  }
}

const NONE: readonly never[] = Object.freeze([])

function additions<T>(collection: Collection<T>): Change<T>[] {
  return [...collection.entries()].map(([key, after]) => ({ key, after }))
}

function listed<T>({ list, byKey }: Listed<T>, changes: readonly Change<T>[]): Listed<T> {
  return { list: list.with(changes), byKey: byKey.with(changes.map(({ key, after }) => [key, after] as const)) }
}

function regroup(
  byHost: BucketMap<readonly MeshService[]>,
  changes: readonly Change<MeshService>[],
): BucketMap<readonly MeshService[]> {
  const groups = new Map<string, readonly MeshService[]>()
  const groupOf = (host: string): readonly MeshService[] => groups.get(host) ?? byHost.get(host) ?? NONE
  for (const { before, after } of changes) {
    if (before !== undefined)
      groups.set(
        before.hostname,
        groupOf(before.hostname).filter((service) => service !== before),
      )
    if (after !== undefined) groups.set(after.hostname, [...groupOf(after.hostname), after].sort(compareServices))
  }
  return byHost.with([...groups].map(([host, group]) => [host, group.length === 0 ? undefined : group] as const))
}

const BY_AGE: Order<AnyResource, Age> = { keyOf: ({ metadata }) => ageOf(metadata), compare: compareAge }

const BY_HOST: Order<MeshService, MeshService> = { keyOf: (service) => service, compare: compareServices }

function compareServices(a: MeshService, b: MeshService): number {
  return compareText(a.hostname, b.hostname) || compareText(a.namespace, b.namespace)
}
