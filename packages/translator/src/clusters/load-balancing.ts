import type { LoadBalancerSettings, LocalityLoadBalancerSetting, MeshConfig, Warmup } from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { duration } from '../message.js'
import type { ClusterDraft } from './draft.js'

type SlowStart = NonNullable<Cluster['least_request_lb_config']>

const DEFAULT_RING_SIZE = 1024

/** DestinationRule loadBalancer -> lb_policy. LEAST_REQUEST unless something else is asked for; ORIGINAL_DST clusters have no choice. */
export function applyLoadBalancer(draft: ClusterDraft, settings: LoadBalancerSettings | undefined, mesh: MeshConfig): void {
  const { cluster } = draft
  const locality = localitySetting(settings, mesh)
  const failover =
    cluster.outlier_detection !== undefined && (locality?.failover !== undefined || locality?.failoverPriority !== undefined)
  if (failover || locality?.distribute !== undefined) {
    const { zone_aware_lb_config: _, ...common } = cluster.common_lb_config ?? {}
    cluster.common_lb_config = { ...common, locality_weighted_lb_config: {} }
  }
  if (cluster.type === 'ORIGINAL_DST' || cluster.cluster_type !== undefined) {
    cluster.lb_policy = 'CLUSTER_PROVIDED'
    return
  }
  if (settings?.simple === 'PASSTHROUGH') {
    cluster.lb_policy = 'CLUSTER_PROVIDED'
    cluster.type = 'ORIGINAL_DST'
    delete cluster.eds_cluster_config
    delete cluster.load_assignment
    return
  }
  if (settings?.consistentHash !== undefined) {
    Object.assign(cluster, hashLoadBalancer(settings.consistentHash))
    return
  }
  const slowStart = slowStartOf(settings)
  switch (settings?.simple) {
    case 'RANDOM':
      cluster.lb_policy = 'RANDOM'
      break
    case 'ROUND_ROBIN':
      // The enum's zero: proto JSON leaves it out.
      if (slowStart !== undefined) cluster.round_robin_lb_config = slowStart
      break
    default:
      cluster.lb_policy = 'LEAST_REQUEST'
      if (slowStart !== undefined) cluster.least_request_lb_config = slowStart
  }
}

/** Maglev, or the ring unless it is asked for. */
export function hashLoadBalancer(hash: NonNullable<LoadBalancerSettings['consistentHash']>): Partial<Cluster> {
  if (hash.maglev !== undefined) {
    const { tableSize = 0 } = hash.maglev
    return { lb_policy: 'MAGLEV', ...(tableSize > 0 ? { maglev_lb_config: { table_size: String(tableSize) } } : {}) }
  }
  // A ring that is asked for without a size has Envoy's, which is not written.
  const size = hash.ringHash === undefined ? DEFAULT_RING_SIZE : (hash.ringHash.minimumRingSize ?? 0)
  return { lb_policy: 'RING_HASH', ...(size > 0 ? { ring_hash_lb_config: { minimum_ring_size: String(size) } } : {}) }
}

// The runtime key is what Istio writes; Envoy demands that it is not empty.
function rampOf(warmup: Warmup): NonNullable<SlowStart['slow_start_config']> {
  return {
    slow_start_window: duration(warmup.duration),
    aggression: { default_value: warmup.aggression ?? 1, runtime_key: '(' },
    min_weight_percent: { value: warmup.minimumPercent ?? 10 },
  }
}

function slowStartOf({ warmup, warmupDurationSecs }: LoadBalancerSettings = {}): SlowStart | undefined {
  if (warmup !== undefined) return { slow_start_config: rampOf(warmup) }
  if (warmupDurationSecs === undefined) return undefined
  return { slow_start_config: { slow_start_window: duration(warmupDurationSecs) } }
}

/** The destination's own setting, else the mesh's; undefined when switched off. */
export function localitySetting(
  settings: LoadBalancerSettings | undefined,
  mesh: MeshConfig,
): LocalityLoadBalancerSetting | undefined {
  const own = settings?.localityLbSetting
  if (own !== undefined) return own.enabled === false ? undefined : own
  const all = mesh.localityLbSetting
  return all === undefined || all.enabled === false ? undefined : all
}
