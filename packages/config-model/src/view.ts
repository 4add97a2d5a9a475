import type { Change, Collection } from '@heddle/runtime'
import { type BucketMap, createBucketMap } from './bucket-map.js'
import { type Catalog, endpointsKey, type KindSources } from './catalog/catalog.js'
import type { MeshService, ServiceEndpoint } from './catalog/service.js'
import type { AnyResource, KindName, KindOf } from './kinds/index.js'
import type { MeshConfig } from './kinds/mesh-config.js'
import type { MeshSnapshot } from './snapshot.js'
import { compareText, mergeSorted } from './sorted-list.js'

/** Keeps the snapshot of the collections: each batch copies only what it changed. */
export interface View {
  readonly current: MeshSnapshot
  /** Makes what changed since the last call the current snapshot, which stays the same when nothing did. */
  publish(): MeshSnapshot
}

interface Listed<T> {
  list: readonly T[]
  byKey: BucketMap<T>
}

export function createView(sources: KindSources, catalog: Catalog, meshConfigs: Collection<MeshConfig>): View {
  const kinds = new Map<string, Listed<AnyResource>>()
  let changed = false
  for (const [name, source] of Object.entries(sources)) {
    kinds.set(name, { list: [], byKey: createBucketMap() })
    ;(source as unknown as Collection<AnyResource>).subscribe((changes) => {
      changed = true
      kinds.set(name, listed(kinds.get(name), changes, compareAge))
    })
  }
  let services = listed<MeshService>(undefined, additions(catalog.services), compareServices)
  let byHost = createBucketMap<readonly MeshService[]>()
  catalog.services.subscribe((changes) => {
    changed = true
    services = listed(services, changes, compareServices)
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
    snapshotOf(revision, meshConfigs.get('')!, new Map(kinds), services.list, byHost, endpoints)
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
  revision: number,
  meshConfig: MeshConfig,
  kinds: ReadonlyMap<string, Listed<AnyResource>>,
  services: readonly MeshService[],
  byHost: BucketMap<readonly MeshService[]>,
  endpoints: BucketMap<readonly ServiceEndpoint[]>,
): MeshSnapshot {
  return {
    revision,
    meshConfig,
    list: <K extends KindName>(kind: K) => (kinds.get(kind)?.list ?? NONE) as unknown as readonly KindOf<K>[],
    get: <K extends KindName>(kind: K, namespace: string, name: string) =>
      kinds.get(kind)?.byKey.get(`${namespace}/${name}`) as KindOf<K> | undefined,
    services,
    servicesOf: (hostname) => byHost.get(hostname) ?? NONE,
    endpoints: (service, portName) => endpoints.get(endpointsKey(service, portName)) ?? NONE,
  }
}

const NONE: readonly never[] = Object.freeze([])

function additions<T>(collection: Collection<T>): Change<T>[] {
  return [...collection.entries()].map(([key, after]) => ({ key, after }))
}

function listed<T>(before: Listed<T> | undefined, changes: readonly Change<T>[], compare: (a: T, b: T) => number): Listed<T> {
  const { list, byKey } = before ?? { list: [], byKey: createBucketMap<T>() }
  const removed = new Set(changes.flatMap((change) => (change.before === undefined ? [] : [change.before])))
  const added = changes.flatMap((change) => (change.after === undefined ? [] : [change.after]))
  return {
    list: mergeSorted(list, removed, added, compare),
    byKey: byKey.with(changes.map(({ key, after }) => [key, after] as const)),
  }
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

// Istio's order of configs (pilot/pkg/model: sortConfigByCreationTime): by age, then by `name.namespace`.
function compareAge(a: AnyResource, b: AnyResource): number {
  return (
    ageOf(a) - ageOf(b) ||
    compareText(`${a.metadata.name}.${a.metadata.namespace}`, `${b.metadata.name}.${b.metadata.namespace}`) ||
    compareText(a.metadata.namespace, b.metadata.namespace)
  )
}

// An object without a time is as old as can be.
function ageOf({ metadata }: AnyResource): number {
  const time = metadata.creationTimestamp === undefined ? 0 : Date.parse(metadata.creationTimestamp)
  return Number.isNaN(time) ? 0 : time
}

function compareServices(a: MeshService, b: MeshService): number {
  return compareText(a.hostname, b.hostname) || compareText(a.namespace, b.namespace)
}
