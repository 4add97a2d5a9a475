import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { policyForPort } from '../destination-rules.js'
import { dynamicCluster } from '../dynamic-dns.js'
import { loadAssignment, selectedEndpoints } from '../endpoints/load-assignment.js'
import { sendsUnready } from '../endpoints/readiness.js'
import { lookupFamily } from '../families.js'
import { ADS_SOURCE, duration, typed } from '../message.js'
import type { ClusterDraft } from './draft.js'
import type { ClusterTarget } from './target.js'

type DiscoveryType = NonNullable<Cluster['type']>

/** How Envoy finds the endpoints of a service. */
export function discoveryType({ build, service, rule, subset, port }: ClusterTarget): DiscoveryType {
  // Subsets are cut from the destination's own cluster.
  const whole = subset === undefined ? undefined : policyForPort(rule?.trafficPolicy, port)?.loadBalancer
  if (whole?.simple === 'PASSTHROUGH') return 'ORIGINAL_DST'
  switch (service.resolution) {
    case 'DNSLB':
      return 'STRICT_DNS'
    case 'DNSRoundRobinLB':
      return 'LOGICAL_DNS'
    case 'Passthrough':
      // A gateway has no original destination to pass through to.
      if (build.features.headlessEds && service.registry === 'Kubernetes') return 'EDS'
      return build.proxy.type === 'router' ? 'EDS' : 'ORIGINAL_DST'
    default:
      return 'EDS'
  }
}

/** Whether the endpoints come by EDS. */
export function isDiscovered(target: ClusterTarget): boolean {
  return (
    target.service.resolution !== 'DynamicDNS' &&
    discoveryType(target) === 'EDS' &&
    target.policy?.loadBalancer?.simple !== 'PASSTHROUGH'
  )
}

/** Says where the endpoints come from. False: there is nothing to resolve, and no cluster. */
export function applyDiscovery(target: ClusterTarget, made: ClusterDraft): boolean {
  const { build } = target
  const { cluster } = made
  if (target.service.resolution === 'DynamicDNS') {
    delete cluster.type
    cluster.cluster_type = dynamicCluster(build, target.service)
    return true
  }
  cluster.common_lb_config = sendsUnready(build.features, target.service) ? { healthy_panic_threshold: {} } : {}
  if (cluster.type === 'EDS') {
    cluster.eds_cluster_config = { eds_config: ADS_SOURCE, service_name: cluster.name }
    return true
  }
  if (cluster.type === 'ORIGINAL_DST') {
    const { service, port } = target
    if (service.resolution === 'Passthrough' && service.registry === 'External' && port.targetPort !== port.number)
      cluster.original_dst_lb_config = { upstream_port_override: Number(port.targetPort) }
    return true
  }
  if (selectedEndpoints(target).length === 0) return false
  cluster.load_assignment = loadAssignment(target)
  cluster.dns_lookup_family = lookupFamily(build)
  cluster.dns_refresh_rate = duration(build.mesh.dnsRefreshRate)
  // Newer than the protos that the types are made from.
  if (build.features.dnsJitter > 0) Object.assign(cluster, { dns_jitter: duration(build.features.dnsJitter) })
  cluster.respect_dns_ttl = true
  cluster.typed_dns_resolver_config = {
    name: 'envoy.network.dns_resolver.cares',
    typed_config: typed('envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig', {
      udp_max_queries: build.features.dnsUdpMaxQueries,
    }),
  }
  return true
}
