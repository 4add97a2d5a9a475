import { type Collection, derive, type Index, index, type Read } from '@heddle/runtime'
import type { ConfigMap } from '../kinds/kubernetes/config-map.js'
import type { Namespace } from '../kinds/kubernetes/namespace.js'
import type { MeshConfig } from '../kinds/mesh-config.js'
import { type MeshNetworks, NO_NETWORKS, readMeshNetworks } from '../kinds/mesh-networks.js'
import { type Cidr, contains, parseCidr } from '../names/cidr.js'
import { LABELS } from '../names/labels.js'
import { clusterOf } from '../resource.js'
import type { Place } from './workload.js'

/** Where the workloads of a cluster are that do not say it themselves. */
export interface Placing {
  /** `undefined`: the own cluster. */
  placeIn(read: Read, cluster?: string): Place
}

export interface PlacingOptions {
  /** The own cluster, and its network if somebody says it. */
  cluster: string
  network: string
  meshConfig: Collection<MeshConfig>
  namespaces: Collection<Namespace>
  configMaps: Collection<ConfigMap>
}

interface Networks {
  readonly byCluster: Readonly<Record<string, string>>
  readonly ranges: readonly { readonly range: Cidr; readonly network: string }[]
}

/**
 * The network of a workload, as in Istio: what label topology.istio.io/network of its cluster's root namespace says, else MeshNetworks by the name of
 * its cluster (`fromRegistry`), else by its address (`fromCidr`, the smallest range). Derived by itself, so that a change of the mesh config stops
 * here unless a network changes.
 */
export function createPlacing({ meshConfig, namespaces, configMaps, cluster: own, network }: PlacingOptions): Placing {
  const byName: Index<Namespace> = index(namespaces, ({ metadata }) => metadata.name, { name: 'catalog.namespaces.by-name' })
  const networks: Collection<Networks> = derive(
    meshConfig,
    ({ rootNamespace }, read): Networks => {
      const written = networksIn(read.get(configMaps, `${rootNamespace}/istio`))
      const byCluster = {
        ...byRegistry(written),
        ...labelled(read.list(byName, rootNamespace), own),
        ...(network === '' ? {} : { [own]: network }),
      }
      return { byCluster, ranges: byRange(written) }
    },
    { name: 'catalog.networks' },
  )
  return {
    placeIn: (read, cluster = own) => placeOf(cluster, read.get(networks, '')),
  }
}

function placeOf(cluster: string, networks: Networks | undefined): Place {
  const network = networks?.byCluster[cluster]
  const ofRange = (address: string): string | undefined => networks?.ranges.find(({ range }) => contains(range, address))?.network
  return { cluster, networkOf: (address) => network ?? ofRange(address) ?? '' }
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

function byRange({ networks }: MeshNetworks): Networks['ranges'] {
  const found = Object.entries(networks).flatMap(([network, { endpoints = [] }]) =>
    endpoints.flatMap(({ fromCidr }) => {
      const range = fromCidr === undefined ? undefined : parseCidr(fromCidr)
      return range === undefined ? [] : [{ range, network }]
    }),
  )
  return found.sort((a, b) => b.range.bits - a.range.bits)
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
