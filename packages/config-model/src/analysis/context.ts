import type { KindName, KindOf } from '../kinds/index.js'
import type { ConfigMapSpec } from '../kinds/kubernetes/config-map.js'
import { defaultMeshConfig, type MeshConfig } from '../kinds/mesh-config.js'
import { type MeshNetworks, NO_NETWORKS, readMeshNetworks } from '../kinds/mesh-networks.js'
import { isMeshConfigMap, readMeshConfig } from '../mesh-config.js'
import { groupBy } from './group-by.js'
import { type ConfigObject, fullName } from './object.js'
import type { ObjectProblem } from './objects.js'
import { createServiceHosts, type ServiceHosts } from './service-hosts.js'
import { createWorkloads, type Workloads } from './workloads.js'

/** What only a look at a live cluster can tell. */
export interface ClusterFacts {
  /** Of the API server: `v1.31.2`. */
  readonly kubernetesVersion?: string
  /** Resources that the user may not create, with the reason. */
  readonly denied?: readonly { readonly resource: string; readonly reason: string }[]
  /** Ports on which a pod listens on localhost only. */
  readonly localhostPorts?: readonly { readonly namespace: string; readonly pod: string; readonly port: number }[]
  /** The release that is to be upgraded, such as `1.21`. */
  readonly fromVersion?: string
}

/** All that analyzers may ask for. Indexes are made when they are first asked for. */
export interface AnalysisContext {
  readonly meshConfig: MeshConfig
  readonly meshNetworks: MeshNetworks
  /** Milliseconds since the epoch: whether certificates have expired. */
  readonly now: number
  readonly cluster: ClusterFacts
  /** What validation said. */
  readonly problems: readonly ObjectProblem[]
  /** Objects of a kind that this package decodes. */
  of<K extends KindName>(kind: K): readonly ConfigObject<KindOf<K>['spec']>[]
  /** Objects of any kind, by API group. */
  ofGroup(group: string, kind: string): readonly ConfigObject[]
  /** One object by `namespace/name`, or by the name of what has no namespace. */
  find<K extends KindName>(kind: K, name: string): ConfigObject<KindOf<K>['spec']> | undefined
  namespace(name: string): ConfigObject | undefined
  readonly workloads: Workloads
  readonly services: ServiceHosts
}

export interface ContextOptions {
  readonly objects: readonly ConfigObject[]
  readonly problems: readonly ObjectProblem[]
  readonly now: number
  /** Default: that of the ConfigMap `istio`, else Istio's. */
  readonly meshConfig?: MeshConfig | undefined
  /** Default: those of the ConfigMap `istio`. */
  readonly meshNetworks?: MeshNetworks | undefined
  readonly cluster?: ClusterFacts | undefined
}

const TEMPLATES = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'] as const

export function createContext(options: ContextOptions): AnalysisContext {
  const { objects, problems, now, cluster = {} } = options
  const byKind = groupBy(objects, ({ known }) => known ?? '')
  const byGroup = groupBy(objects, ({ group, kind }) => `${group}/${kind}`)
  const of = <K extends KindName>(kind: K): readonly ConfigObject<KindOf<K>['spec']>[] =>
    (byKind.get(kind) ?? []) as readonly ConfigObject<KindOf<K>['spec']>[]
  const names = new Map<KindName, ReadonlyMap<string, ConfigObject>>()
  const find = <K extends KindName>(kind: K, name: string): ConfigObject<KindOf<K>['spec']> | undefined => {
    const index = names.get(kind) ?? new Map(of(kind).map((object) => [fullName(object), object]))
    names.set(kind, index)
    return index.get(name) as ConfigObject<KindOf<K>['spec']> | undefined
  }
  const meshConfig = options.meshConfig ?? writtenMeshConfig(of('ConfigMap'))
  const workloads = once(() =>
    createWorkloads(
      of('Pod'),
      TEMPLATES.flatMap((kind) => of(kind)),
    ),
  )
  const services = once(() => createServiceHosts(of('Service'), of('ServiceEntry'), meshConfig.trustDomain))
  return {
    meshConfig,
    meshNetworks: options.meshNetworks ?? writtenNetworks(of('ConfigMap'), meshConfig),
    now,
    cluster,
    problems,
    of,
    ofGroup: (group, kind) => byGroup.get(`${group}/${kind}`) ?? [],
    find,
    namespace: (name) => find('Namespace', name),
    get workloads() {
      return workloads()
    },
    get services() {
      return services()
    },
  }
}

function writtenMeshConfig(maps: readonly ConfigObject<ConfigMapSpec>[]): MeshConfig {
  const map = maps.find(({ metadata, spec }) =>
    isMeshConfigMap({ kind: 'ConfigMap', metadata, spec }, defaultMeshConfig.rootNamespace),
  )
  const result = readMeshConfig(map?.spec.data?.['mesh'] ?? '')
  return result.ok ? result.value : defaultMeshConfig
}

function writtenNetworks(maps: readonly ConfigObject<ConfigMapSpec>[], { rootNamespace }: MeshConfig): MeshNetworks {
  const map = maps.find(({ metadata }) => metadata.name === 'istio' && metadata.namespace === rootNamespace)
  const result = readMeshNetworks(map?.spec.data?.['meshNetworks'] ?? '')
  return result.ok ? result.value : NO_NETWORKS
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
