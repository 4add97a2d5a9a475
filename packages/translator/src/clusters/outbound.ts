import type { MeshService } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Build } from '../build.js'
import { policyForPort, policyOfSubset } from '../destination-rules.js'
import { loadAssignment } from '../endpoints/load-assignment.js'
import { isDiscovered } from './discovery.js'
import { outboundClusterOf } from './outbound-cluster.js'
import type { ClusterTarget } from './target.js'

/** One cluster per service, port and subset that the proxy sees, referenced or not. */
export function outboundClusters(build: Build, services: readonly MeshService[] = build.view.services): readonly Cluster[] {
  return ofEachService(build, services, 'clusters', (service) => clustersOf(targetsOf(build, service, false)))
}

/** Load assignments of the clusters that get their endpoints by EDS. */
export function outboundEndpoints(build: Build, services: readonly MeshService[]): readonly ClusterLoadAssignment[] {
  return ofEachService(build, services, 'endpoints', (service) => endpointsOf(targetsOf(build, service, false)))
}

/** Clusters under their SNI names, for what AUTO_PASSTHROUGH gateways pass on: mTLS stays on, so none is added, and what is outside the mesh has none. */
export function sniDnatClusters(build: Build): readonly Cluster[] {
  return ofEachService(build, build.view.services, 'SNI clusters', (s) =>
    s.meshExternal ? [] : clustersOf(targetsOf(build, s, true)),
  )
}

export function sniDnatEndpoints(build: Build): readonly ClusterLoadAssignment[] {
  return ofEachService(build, build.view.services, 'SNI endpoints', (s) =>
    s.meshExternal ? [] : endpointsOf(targetsOf(build, s, true)),
  )
}

function ofEachService<T extends object>(
  { memo }: Build,
  services: readonly MeshService[],
  what: string,
  make: (service: MeshService) => readonly T[],
): readonly T[] {
  return memo.each(`${what} of services`, [], services, (service) =>
    memo.shared(what, [`${service.namespace}/${service.hostname}`, service], () => make(service)),
  )
}

function clustersOf(targets: readonly ClusterTarget[]): Cluster[] {
  return targets.flatMap((target) => outboundClusterOf(target) ?? [])
}

function endpointsOf(targets: readonly ClusterTarget[]): ClusterLoadAssignment[] {
  return targets.filter(isDiscovered).map(loadAssignment)
}

/** One for each service, port and subset that the proxy sees. */
export function clusterTargets(build: Build): readonly ClusterTarget[] {
  return build.view.services.flatMap((service) => targetsOf(build, service, false))
}

function targetsOf(build: Build, service: MeshService, sniDnat: boolean): readonly ClusterTarget[] {
  const targets: ClusterTarget[] = []
  if (service.resolution === 'Alias') return targets
  const rule = build.rules.of(service)
  for (const port of service.ports) {
    if (port.protocol === 'UDP') continue
    const policy = policyForPort(rule?.trafficPolicy, port)
    targets.push({ build, service, port, rule, sniDnat, subset: undefined, policy })
    if (rule === undefined) continue
    for (const subset of rule.subsets) {
      const ofSubset = policyOfSubset(rule.trafficPolicy, subset.subset.trafficPolicy, port)
      targets.push({ build, service, port, rule, sniDnat, subset, policy: ofSubset })
    }
  }
  return targets
}
