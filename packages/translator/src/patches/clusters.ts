import type { EnvoyFilterContext } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { Cluster as ClusterType } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import type { Build } from '../build.js'
import { parseClusterName } from '../names.js'
import { added, merged, touched } from './apply.js'
import { merges } from './edit-list.js'
import { type Patch, patchesOf } from './envoy-filters.js'
import { mergeAny } from './merge-message.js'

/** Clusters after CLUSTER patches. `adds`: whether the patches' own clusters belong to this list; of context ANY they stand beside outbound ones only. */
export function patchedClusters(
  build: Build,
  context: EnvoyFilterContext,
  clusters: readonly Cluster[],
  adds = true,
): readonly Cluster[] {
  const patches = patchesOf(build).of('CLUSTER', context)
  if (patches.length === 0) return clusters
  const out = clusters.flatMap(
    (cluster) =>
      build.memo.of('patched cluster', [context, cluster], () =>
        patched(build, cluster, patchesOf(build).of('CLUSTER', context)),
      ) ?? [],
  )
  if (!adds) return out
  const own = patches.filter(
    ({ operation, match }) => operation === 'ADD' && (context !== 'SIDECAR_INBOUND' || match.context === context),
  )
  return [...out, ...own.map((patch) => added<Cluster>(build, patch))]
}

/** Whether a patch takes the cluster of that name away: then nobody asks for its endpoints. */
export function clusterRemoved(build: Build, context: EnvoyFilterContext, name: string): boolean {
  const patches = patchesOf(build).of('CLUSTER', context)
  return patches.some((patch) => patch.operation === 'REMOVE' && matches({ name }, patch))
}

function patched(build: Build, given: Cluster, patches: readonly Patch[]): Cluster | undefined {
  let cluster = given
  for (const patch of patches) {
    if (!matches(cluster, patch)) continue
    if (patch.operation === 'REMOVE') return undefined
    if (merges(patch)) cluster = withSocket(build, cluster, patch) ?? merged(build, ClusterType, cluster, patch)
  }
  return cluster
}

function matches(cluster: Cluster, { match }: Patch): boolean {
  const wanted = match.cluster
  if (wanted === undefined) return true
  if (wanted.name !== undefined && wanted.name !== '') return wanted.name === cluster.name
  const { subset, host, port } = partsOf(cluster.name ?? '')
  if (wanted.subset !== undefined && wanted.subset !== '' && wanted.subset !== subset) return false
  if (wanted.service !== undefined && wanted.service !== '' && !hostsOf(cluster, host).includes(wanted.service)) return false
  return wanted.portNumber === undefined || wanted.portNumber === 0 || wanted.portNumber === port
}

function partsOf(name: string): { subset: string; host: string; port: number } {
  return (
    parseClusterName(name.replaceAll('_.', '|').replaceAll('._', '|')) ??
    parseClusterName(name) ?? { subset: '', host: '', port: 0 }
  )
}

/** An inbound cluster tells its services in its metadata. */
function hostsOf(cluster: Cluster, host: string): readonly string[] {
  if (host !== '') return [host]
  const istio = cluster.metadata?.filter_metadata?.['istio'] as { services?: readonly { host?: string }[] } | undefined
  return (istio?.services ?? []).flatMap((service) => service.host ?? [])
}

/** A patch with a transport socket changes nothing but the socket of that name; undefined: it has none. */
function withSocket(build: Build, cluster: Cluster, patch: Patch): Cluster | undefined {
  const own = patch.value['transport_socket'] as TransportSocket | undefined
  if (own === undefined) return undefined
  const list = cluster.transport_socket_matches ?? []
  const at = list.findIndex((m) => m.transport_socket?.name === own.name)
  if (list.length > 0) {
    const found = list[at]
    if (found?.transport_socket === undefined) return cluster
    const changed = { ...found, transport_socket: mergedSocket(build, found.transport_socket, own) }
    return touched(build, cluster, { ...cluster, transport_socket_matches: list.with(at, changed) }, patch)
  }
  const present = cluster.transport_socket
  const socket = present?.name === own.name && present !== undefined ? mergedSocket(build, present, own) : own
  return touched(build, cluster, { ...cluster, transport_socket: socket }, patch)
}

export function mergedSocket({ origins }: Build, socket: TransportSocket, own: TransportSocket): TransportSocket {
  if (socket.typed_config === undefined || own.typed_config === undefined) return socket
  const config = mergeAny(socket.typed_config as never, own.typed_config as never, (from, to) => void origins.copy(from, to))
  return config === undefined ? socket : { ...socket, typed_config: config as never }
}
