import {
  type Collection,
  createGraph,
  createSource,
  createWatch,
  derive,
  type Graph,
  type MetricsRegistry,
  type Unsubscribe,
} from '@heddle/runtime'
import { createCatalog } from './catalog/catalog.js'
import { deriveEndpointless, type EndpointlessService } from './catalog/endpointless.js'
import { createPrecedence, type Precedence } from './catalog/precedence.js'
import type { MeshService, ServiceEndpoint } from './catalog/service.js'
import { createKindSources, type KindSources } from './catalog/sources.js'
import type { SidecarHostPolicy } from './catalog/virtual-hosts.js'
import { effectiveConfig } from './convert/index.js'
import type { ResourceStatus } from './convert/status.js'
import { createDiscovery } from './discovery.js'
import { KIND_NAMES } from './kinds/all.js'
import type { AnyResource, KindName, KindOf } from './kinds/index.js'
import type { ConfigMap } from './kinds/kubernetes/config-map.js'
import { defaultMeshConfig, type MeshConfig } from './kinds/mesh-config.js'
import { effectiveMeshConfig } from './mesh-config.js'
import { nameKey, type ResourceKey } from './resource.js'
import type { MeshSnapshot } from './snapshot.js'
import { createView } from './view.js'

/** One consistent change. A key in both lists is set. */
export interface Batch {
  set?: readonly AnyResource[]
  remove?: readonly ResourceKey[]
}

export interface StoreOptions {
  /** Default: Istio's. A ConfigMap `istio` in the root namespace with `data.mesh` is laid over it. */
  meshConfig?: MeshConfig
  /** Of Kubernetes hostnames; default `cluster.local`. */
  domainSuffix?: string
  /** Name of this cluster; default `Kubernetes`. */
  cluster?: string
  /** Network of workloads that say none; default: label topology.istio.io/network of the root namespace, or ''. */
  network?: string
  /** What sidecars do with several VirtualServices of one host; default `oldest`, as Istio. */
  sidecarHosts?: SidecarHostPolicy
  /** Whether hosts of ServiceEntries without an address get one of 240.240.0.0/16, as Istio's controller gives it; default true. */
  allocateAddresses?: boolean
  /**
   * Whether pods with an address are endpoints of the Services that select them while no EndpointSlice and no Endpoints is there: for folders that
   * people write, where no endpoint controller runs. Default false: in a cluster only slices say which pods are ready.
   */
  endpointsFromPods?: boolean
  /** Counts builds of the derived collections. */
  metrics?: MetricsRegistry
}

/** What a store derives, to derive more from. */
export interface StoreCollections extends Precedence {
  readonly graph: Graph
  /** The resources of a kind by `namespace/name`, as they are written. */
  of<K extends KindName>(kind: K): Collection<KindOf<K>>
  /** By `namespace/hostname`. */
  readonly services: Collection<MeshService>
  /** By `namespace/hostname/portName`. */
  readonly endpoints: Collection<readonly ServiceEndpoint[]>
  /** One value under the key ''. */
  readonly meshConfig: Collection<MeshConfig>
  /** What Gateway API and Ingress objects should have as status, by key. */
  readonly statuses: Collection<ResourceStatus>
  /** Services without endpoints though what they select is written; of stores with `endpointsFromPods`. By the keys of the services. */
  readonly endpointless?: Collection<EndpointlessService>
}

/** Resources of a mesh, changed in batches. Holds only what {@link decodeResource} or {@link readYaml} accepted. */
export interface Store {
  readonly revision: number
  /** Takes a batch up and tells subscribers before it returns; a batch that changes nothing keeps the revision. Returns the revision. */
  apply(batch: Batch): number
  remove(...keys: readonly ResourceKey[]): number
  /** Replaces the mesh config that is laid under the ConfigMap's. */
  setMeshConfig(meshConfig: MeshConfig): number
  /** The present state; costs nothing. */
  snapshot(): MeshSnapshot
  /** Hears of each new revision. */
  subscribe(changed: (snapshot: MeshSnapshot) => void): Unsubscribe
  readonly collections: StoreCollections
}

export function createStore(options: StoreOptions = {}): Store {
  const { domainSuffix = 'cluster.local', cluster = 'Kubernetes', network = '', sidecarHosts = 'oldest' } = options
  const { allocateAddresses = true, endpointsFromPods = false } = options
  const graph = createGraph(options.metrics === undefined ? {} : { metrics: options.metrics })
  const sources = createKindSources(graph, KIND_NAMES)
  const discovery = createDiscovery(sources)
  const bases = createSource<MeshConfig>({ graph, name: 'config.mesh' })
  let base = options.meshConfig ?? defaultMeshConfig
  bases.set('', base)
  const meshConfig = deriveMeshConfig(bases, sources)
  const catalogOptions = { graph, sources, meshConfig, domainSuffix, cluster, network, allocateAddresses, endpointsFromPods }
  const catalog = createCatalog(catalogOptions)
  const endpointless = endpointsFromPods && { endpointless: deriveEndpointless(sources, catalog.services, catalog.endpoints) }
  const effective = effectiveConfig({ ...catalogOptions, ...catalog })
  const precedence = createPrecedence({ ...catalogOptions, sources: effective.kinds, services: catalog.services, sidecarHosts })
  const view = createView(effective.kinds, catalog, meshConfig, sidecarHosts)
  const published = createWatch(view.current)

  const commit = (write: () => void): number => {
    const before = view.current
    try {
      graph.batch(write)
    } finally {
      // A build that threw has changed nothing but its own key.
      if (view.publish() !== before) published.set(view.current)
    }
    return view.current.revision
  }
  const apply = ({ set = [], remove = [] }: Batch): number =>
    commit(() => {
      const removed = remove.map((key) => [kindOfKey(key), nameOfKey(key)] as const)
      discovery.write(meshAfter(base, sources, set, removed), set, removed)
    })
  return {
    get revision() {
      return view.current.revision
    },
    apply,
    remove: (...keys) => apply({ remove: keys }),
    setMeshConfig: (next) =>
      commit(() => {
        base = next
        bases.set('', next)
        discovery.write(meshAfter(next, sources, [], []), [], [])
      }),
    snapshot: () => view.current,
    subscribe: published.subscribe,
    collections: Object.assign(precedence, {
      graph,
      of: <K extends KindName>(kind: K) => sources[kind] as unknown as Collection<KindOf<K>>,
      ...catalog,
      meshConfig,
      statuses: effective.statuses,
      ...(endpointless || {}),
    }),
  }
}

/** The mesh config as a batch leaves it, before the batch has passed. */
function meshAfter(
  base: MeshConfig,
  sources: KindSources,
  set: readonly AnyResource[],
  removed: readonly (readonly [kind: string, name: string])[],
): MeshConfig {
  const name = `${base.rootNamespace}/istio`
  const written = set.findLast((resource) => resource.kind === 'ConfigMap' && nameKey(resource.metadata) === name)
  const gone = written === undefined && removed.some(([kind, key]) => kind === 'ConfigMap' && key === name)
  return effectiveMeshConfig(base, (written as ConfigMap | undefined) ?? (gone ? undefined : sources.ConfigMap.get(name)))
}

function deriveMeshConfig(bases: Collection<MeshConfig>, sources: KindSources): Collection<MeshConfig> {
  return derive(bases, (base, read) => effectiveMeshConfig(base, read.get(sources.ConfigMap, `${base.rootNamespace}/istio`)), {
    name: 'config.mesh.effective',
  })
}

function kindOfKey(key: ResourceKey): string {
  return key.slice(0, key.indexOf(' '))
}

function nameOfKey(key: ResourceKey): string {
  return key.slice(key.indexOf(' ') + 1)
}
