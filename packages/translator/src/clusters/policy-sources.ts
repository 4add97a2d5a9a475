import type { TrafficPolicy } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { type Provenance, sourceOf } from '../provenance.js'
import type { ClusterTarget } from './target.js'

type Group = 'connectionPool' | 'loadBalancer' | 'outlierDetection' | 'tls'

/** Which fields of a cluster each part of a trafficPolicy makes. */
const FIELDS: Readonly<Record<Group, readonly (keyof Cluster)[]>> = {
  connectionPool: ['circuit_breakers', 'connect_timeout', 'upstream_connection_options', 'typed_extension_protocol_options'],
  loadBalancer: ['lb_policy', 'least_request_lb_config', 'round_robin_lb_config', 'ring_hash_lb_config', 'maglev_lb_config'],
  outlierDetection: ['outlier_detection'],
  tls: ['transport_socket', 'transport_socket_matches'],
}

/** Marks each field of a cluster with the settings that made it; fields that nothing in a DestinationRule speaks of stay unmarked. */
export function markPolicy(target: ClusterTarget, cluster: Cluster): void {
  for (const [group, fields] of Object.entries(FIELDS) as [Group, readonly (keyof Cluster)[]][]) {
    const source = sourceOfGroup(target, group)
    if (source === undefined) continue
    for (const field of fields) if (cluster[field] !== undefined) target.build.origins.mark(cluster, source, field)
  }
}

/** The subset's port, the subset, the destination's port, the destination: the first that decides. Settings of a port decide also by silence. */
function sourceOfGroup({ rule, subset, port }: ClusterTarget, group: Group): Provenance | undefined {
  const own = subset?.subset.trafficPolicy
  if (subset !== undefined && own !== undefined) {
    const level = levelOf(own, port.number)
    if (level >= 0 || own[group] !== undefined) return at(subset.source, `${subset.path}.trafficPolicy`, own, level, group)
  }
  const source = rule?.sources.find((r) => r.spec.trafficPolicy !== undefined)
  const policy = source?.spec.trafficPolicy
  return source === undefined || policy === undefined
    ? undefined
    : at(source, 'spec.trafficPolicy', policy, levelOf(policy, port.number), group)
}

function levelOf(policy: TrafficPolicy, port: number): number {
  return policy.portLevelSettings?.findIndex((p) => p.port.number === port) ?? -1
}

function at(
  source: Parameters<typeof sourceOf>[0],
  path: string,
  policy: TrafficPolicy,
  level: number,
  group: Group,
): Provenance | undefined {
  const settings = level < 0 ? policy : policy.portLevelSettings?.[level]
  if (settings?.[group] === undefined) return undefined
  return sourceOf(source, level < 0 ? `${path}.${group}` : `${path}.portLevelSettings[${level}].${group}`)
}
