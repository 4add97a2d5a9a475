import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import { identitiesOf } from '../clusters/identities.js'
import { hashLoadBalancer } from '../clusters/load-balancing.js'
import { clusterTargets } from '../clusters/outbound.js'
import { type ClusterTarget, clusterNameOf } from '../clusters/target.js'
import { loadAssignment } from '../endpoints/load-assignment.js'
import { statName } from '../names.js'
import { sourceOfKey } from '../provenance.js'
import { tlsSocket } from '../security/tls-context.js'
import { ADS } from './outbound.js'
import { providerContext } from './tls-context.js'

/** Clusters and endpoints of what the route configurations lead to. */
export function grpcClusters(
  build: Build,
  routes: readonly RouteConfiguration[],
): { clusters: Cluster[]; endpoints: ClusterLoadAssignment[] } {
  const wanted = new Set(routes.flatMap(clustersIn))
  const targets = clusterTargets(build).filter((target) => wanted.has(clusterNameOf(target)))
  return { clusters: targets.map(grpcCluster), endpoints: targets.map(loadAssignment) }
}

function clustersIn({ virtual_hosts = [] }: RouteConfiguration): string[] {
  const actions = virtual_hosts.flatMap((host) =>
    (host.routes ?? []).flatMap(({ route }) => (route === undefined ? [] : [route])),
  )
  return actions.flatMap(({ cluster, weighted_clusters, request_mirror_policies = [] }) =>
    [cluster, ...(weighted_clusters?.clusters ?? []).map((c) => c.name), ...request_mirror_policies.map((m) => m.cluster)].filter(
      (name) => name !== undefined,
    ),
  )
}

/**
 * EDS by name, whatever the service's resolution. Of a DestinationRule gRPC knows the balancer, the limit of requests (gRFC A32) and ISTIO_MUTUAL;
 * without it the client speaks plaintext, since nobody can tell whether it uses xDS credentials.
 */
function grpcCluster(target: ClusterTarget): Cluster {
  const { build, service, policy } = target
  const name = clusterNameOf(target)
  const cluster: Cluster = {
    name,
    alt_stat_name: statName(name),
    type: 'EDS',
    eds_cluster_config: { service_name: name, eds_config: ADS },
  }
  if (policy?.tls?.mode === 'ISTIO_MUTUAL') {
    const common_tls_context = providerContext(identitiesOf(build, service))
    cluster.transport_socket = tlsSocket('UpstreamTlsContext', { common_tls_context })
  }
  const { loadBalancer } = policy ?? {}
  if (loadBalancer?.consistentHash !== undefined) Object.assign(cluster, hashLoadBalancer(loadBalancer.consistentHash))
  else if (loadBalancer?.simple === 'LEAST_REQUEST') cluster.lb_policy = 'LEAST_REQUEST'
  const requests = policy?.connectionPool?.http?.http2MaxRequests ?? 0
  if (requests > 0) cluster.circuit_breakers = { thresholds: [{ max_requests: requests }] }
  return build.origins.mark(cluster, sourceOfKey(service.source))
}
