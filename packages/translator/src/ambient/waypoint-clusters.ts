import { isHttp, isTcp, type MeshService } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Build } from '../build.js'
import { isDiscovered } from '../clusters/discovery.js'
import { clusterTargets } from '../clusters/outbound.js'
import { outboundClusterOf } from '../clusters/outbound-cluster.js'
import type { ClusterTarget } from '../clusters/target.js'
import { loadAssignment } from '../endpoints/load-assignment.js'
import { doubleTunnelClusters } from './double-hbone.js'
import { CONNECT_ORIGINATE, ENCAP } from './hbone.js'
import { connectOriginateCluster, internalCluster, mainInternalCluster } from './hbone-clusters.js'
import { outsideServices, waypointServices } from './waypoint-services.js'

/** The clusters of a waypoint: for each port of the services behind it one for HTTP, one for TCP, or both where that is sniffed; and its tunnels. */
export function waypointClusters(build: Build): readonly Cluster[] {
  return [
    mainInternalCluster(build),
    internalCluster(build, ENCAP, CONNECT_ORIGINATE),
    connectOriginateCluster(build),
    ...(build.features.ambientMultiNetwork ? doubleTunnelClusters(build) : []),
    ...targetsOf(build).flatMap((target) => outboundClusterOf(target) ?? []),
  ]
}

export function waypointEndpoints(build: Build): readonly ClusterLoadAssignment[] {
  return targetsOf(build).filter(isDiscovered).map(loadAssignment)
}

function targetsOf(build: Build): readonly ClusterTarget[] {
  return build.memo.of('waypoint targets', [], () => {
    const behind = new Set<MeshService>(waypointServices(build))
    const outside = new Set<MeshService>(outsideServices(build))
    return clusterTargets(build).flatMap((target) => {
      if (outside.has(target.service)) return [target]
      if (!behind.has(target.service)) return []
      const { protocol } = target.port
      const sniffed = protocol === 'Unsupported'
      return [
        ...(sniffed || isTcp(protocol) ? [{ ...target, vip: 'tcp' as const }] : []),
        ...(sniffed || isHttp(protocol) ? [{ ...target, vip: 'http' as const }] : []),
      ]
    })
  })
}
