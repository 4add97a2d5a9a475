import {
  type Collection,
  createGraph,
  createSource,
  createWatch,
  derive,
  type Graph,
  type MetricsRegistry,
  type Source,
  type Unsubscribe,
} from '@heddle/runtime'
import { createCatalog } from './catalog/catalog.js'
import type { MeshService, ServiceEndpoint } from './catalog/service.js'
import { createKindSources, type KindSources } from './catalog/sources.js'
import { KINDS } from './kinds/all.js'
import type { AnyResource, KindName, KindOf } from './kinds/index.js'
import { defaultMeshConfig, type MeshConfig } from './kinds/mesh-config.js'
import { isMeshConfigMap, readMeshConfig } from './mesh-config.js'
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
  /** Counts builds of the derived collections. */
  metrics?: MetricsRegistry
}

/** What a store derives, to derive more from. */
export interface StoreCollections {
  readonly graph: Graph
  /** The resources of a kind by `namespace/name`. */
  of<K extends KindName>(kind: K): Collection<KindOf<K>>
  /** By `namespace/hostname`. */
  readonly services: Collection<MeshService>
  /** By `namespace/hostname/portName`. */
  readonly endpoints: Collection<readonly ServiceEndpoint[]>
  /** One value under the key ''. */
  readonly meshConfig: Collection<MeshConfig>
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

const KIND_NAMES = Object.keys(KINDS) as KindName[]

export function createStore(options: StoreOptions = {}): Store {
  const { meshConfig: base = defaultMeshConfig, domainSuffix = 'cluster.local', cluster = 'Kubernetes', network = '' } = options
  const graph = createGraph(options.metrics === undefined ? {} : { metrics: options.metrics })
  const sources = createKindSources(graph, KIND_NAMES)
  const bases = createSource<MeshConfig>({ graph, name: 'config.mesh' })
  bases.set('', base)
  const meshConfig = deriveMeshConfig(bases, sources)
  const catalog = createCatalog({ graph, sources, meshConfig, domainSuffix, cluster, network })
  const view = createView(sources, catalog, meshConfig)
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
      for (const key of remove) sourceOf(sources, kindOfKey(key))?.delete(nameOfKey(key))
      for (const resource of set) sourceOf(sources, resource.kind)?.set(nameKey(resource.metadata), resource)
    })
  return {
    get revision() {
      return view.current.revision
    },
    apply,
    remove: (...keys) => apply({ remove: keys }),
    setMeshConfig: (next) => commit(() => bases.set('', next)),
    snapshot: () => view.current,
    subscribe: published.subscribe,
    collections: {
      graph,
      of: <K extends KindName>(kind: K) => sources[kind] as unknown as Collection<KindOf<K>>,
      ...catalog,
      meshConfig,
    },
  }
}

function deriveMeshConfig(bases: Collection<MeshConfig>, sources: KindSources): Collection<MeshConfig> {
  return derive(
    bases,
    (base, read) => {
      const map = read.get(sources.ConfigMap, `${base.rootNamespace}/istio`)
      if (map === undefined || !isMeshConfigMap(map, base.rootNamespace)) return base
      const result = readMeshConfig(map.spec.data?.['mesh'] ?? '', { base })
      return result.ok ? result.value : base
    },
    { name: 'config.mesh.effective' },
  )
}

function kindOfKey(key: ResourceKey): string {
  return key.slice(0, key.indexOf(' '))
}

function nameOfKey(key: ResourceKey): string {
  return key.slice(key.indexOf(' ') + 1)
}

function sourceOf(sources: KindSources, kind: string): Source<AnyResource> | undefined {
  return Object.hasOwn(sources, kind) ? (sources[kind as KindName] as unknown as Source<AnyResource>) : undefined
}
