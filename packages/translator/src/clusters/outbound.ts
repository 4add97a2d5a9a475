import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Build } from '../build.js'
import { policyForPort, policyOfSubset } from '../destination-rules.js'
import { loadAssignment } from '../endpoints/load-assignment.js'
import { isEmpty } from '../selection.js'
import { outboundClusterOf } from './outbound-cluster.js'
import type { ClusterTarget } from './target.js'

/** The clusters of what a proxy calls and the endpoints of those that get them by EDS. */
export interface OutboundClusters {
  readonly clusters: readonly Cluster[]
  readonly endpoints: readonly ClusterLoadAssignment[]
}

/** One cluster per service, port and subset that the proxy sees, referenced or not. */
export function outboundClusters(build: Build): OutboundClusters {
  return resourcesOf(clusterTargets(build))
}

/** The same under their SNI names, for what AUTO_PASSTHROUGH gateways pass on: mTLS stays on, so none is added, and what is outside the mesh has none. */
export function sniDnatClusters(build: Build): OutboundClusters {
  return resourcesOf(clusterTargets(build, true).filter(({ service }) => !service.meshExternal))
}

function resourcesOf(targets: readonly ClusterTarget[]): OutboundClusters {
  const clusters: Cluster[] = []
  const endpoints: ClusterLoadAssignment[] = []
  for (const target of targets) {
    const cluster = outboundClusterOf(target)
    if (cluster === undefined) continue
    clusters.push(cluster)
    if (cluster.type === 'EDS') endpoints.push(loadAssignment(target))
  }
  return { clusters, endpoints }
}

/** One for each service, port and subset that the proxy sees. */
export function clusterTargets(build: Build, sniDnat = false): ClusterTarget[] {
  const targets: ClusterTarget[] = []
  for (const service of build.view.services) {
    if (service.resolution === 'Alias') continue
    const rule = build.rules.of(service)
    for (const port of service.ports) {
      if (port.protocol === 'UDP') continue
      const base = { build, service, port, rule, sniDnat }
      targets.push({ ...base, subset: undefined, policy: policyForPort(rule?.trafficPolicy, port) })
      for (const subset of rule?.subsets ?? []) {
        const { labels, trafficPolicy } = subset.subset
        // Where every address is its own destination a subset without labels or policy is the service itself.
        if (isEmpty(labels) && trafficPolicy === undefined && service.resolution === 'Passthrough') continue
        targets.push({ ...base, subset, policy: policyOfSubset(rule?.trafficPolicy, trafficPolicy, port) })
      }
    }
  }
  return targets
}
