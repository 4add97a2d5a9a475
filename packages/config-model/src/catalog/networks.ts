import { type Collection, derive, type Index, index, type Read } from '@heddle/runtime'
import type { ConfigMap } from '../kinds/kubernetes/config-map.js'
import type { Namespace } from '../kinds/kubernetes/namespace.js'
import type { MeshConfig } from '../kinds/mesh-config.js'
import { type MeshNetworks, NO_NETWORKS, readMeshNetworks } from '../kinds/mesh-networks.js'
import { LABELS } from '../names/labels.js'
import { clusterOf } from '../resource.js'
import type { WorkloadDefaults } from './workload.js'

/** Where the workloads of a cluster are that do not say it themselves. */
export interface Placing {
  /** `undefined`: the own cluster. */
  defaultsIn(read: Read, cluster?: string): WorkloadDefaults
}

export interface PlacingOptions extends WorkloadDefaults {
  meshConfig: Collection<MeshConfig>
  namespaces: Collection<Namespace>
  configMaps: Collection<ConfigMap>
}

/**
 * The network of a cluster, as in Istio: what label topology.istio.io/network of its root namespace says, else MeshNetworks by its name.
 * Derived by itself, so that a change of the mesh config stops here unless a network changes.
 */
export function createPlacing({ meshConfig, namespaces, configMaps, cluster: own, network }: PlacingOptions): Placing {
  const byName: Index<Namespace> = index(namespaces, ({ metadata }) => metadata.name, { name: 'catalog.namespaces.by-name' })
  const networks = derive(
    meshConfig,
    ({ rootNamespace }, read) => ({
      ...byRegistry(networksIn(read.get(configMaps, `${rootNamespace}/istio`))),
      ...labelled(read.list(byName, rootNamespace), own),
      ...(network === '' ? {} : { [own]: network }),
    }),
    { name: 'catalog.networks' },
  )
  return {
    defaultsIn: (read, cluster = own) => ({ cluster, network: read.get(networks, '')?.[cluster] ?? '' }),
  }
}

function labelled(roots: readonly Namespace[], own: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { metadata } of roots) {
    const network = metadata.labels[LABELS.network]
    if (network !== undefined) found[clusterOf(metadata) ?? own] = network
  }
  return found
}

function byRegistry({ networks }: MeshNetworks): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, { endpoints = [] }] of Object.entries(networks))
    for (const { fromRegistry } of endpoints) if (fromRegistry !== undefined) found[fromRegistry] = name
  return found
}

const read = new WeakMap<ConfigMap, MeshNetworks>()

/** MeshNetworks of the ConfigMap `istio` of the root namespace; none without it. Read once per object. */
export function networksIn(map: ConfigMap | undefined): MeshNetworks {
  if (map === undefined) return NO_NETWORKS
  const known = read.get(map)
  if (known !== undefined) return known
  const result = readMeshNetworks(map.spec.data?.['meshNetworks'] ?? '')
  const networks = result.ok ? result.value : NO_NETWORKS
  read.set(map, networks)
  return networks
}
