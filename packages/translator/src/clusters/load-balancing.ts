import type {
  LoadBalancerSettings,
  LocalityLoadBalancerSetting,
  MeshConfig,
  MeshService,
  ServicePort,
  Warmup,
  ZoneAwareLoadBalancerSetting,
} from '@heddle/config-model'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Build } from '../build.js'
import { duration } from '../message.js'
import type { ClusterDraft } from './draft.js'

/** Weights of localities, or Envoy's zone awareness, which waypoints have no use for: they do not know their own zone. */
function applyNearness({ proxy, features }: Build, cluster: Cluster, near: LbSetting | undefined): void {
  if (near?.kind === 'zone' && proxy.type === 'waypoint') return
  const { zone_aware_lb_config: _, locality_weighted_lb_config: __, ...common } = cluster.common_lb_config ?? {}
  if (near?.kind === 'zone') {
    const { enabled, minClusterSize } = near.setting
    const zone_aware_lb_config: ZoneAware = {
      ...(enabled === false ? { routing_enabled: {} } : {}),
      ...(minClusterSize === undefined ? {} : { min_cluster_size: String(minClusterSize) }),
    }
    cluster.common_lb_config = { ...common, zone_aware_lb_config }
    return
  }
  const { failover, failoverPriority, distribute } = near?.setting ?? {}
  const failing = near?.force === true || cluster.outlier_detection !== undefined
  if (
    features.localityWeights ||
    (failing && (failover !== undefined || failoverPriority !== undefined)) ||
    distribute !== undefined
  )
    cluster.common_lb_config = { ...common, locality_weighted_lb_config: {} }
}

type ZoneAware = NonNullable<NonNullable<Cluster['common_lb_config']>['zone_aware_lb_config']>
type SlowStart = NonNullable<Cluster['least_request_lb_config']>

const DEFAULT_RING_SIZE = 1024

/** DestinationRule loadBalancer -> lb_policy. LEAST_REQUEST unless something else is asked for; ORIGINAL_DST clusters have no choice. */
export function applyLoadBalancer(
  build: Build,
  draft: ClusterDraft,
  settings: LoadBalancerSettings | undefined,
  near: LbSetting | undefined,
  { protocol }: ServicePort,
): void {
  const { cluster } = draft
  if (cluster.cluster_type === undefined) applyNearness(build, cluster, near)
  if (cluster.type === 'ORIGINAL_DST' || cluster.cluster_type !== undefined) {
    cluster.lb_policy = 'CLUSTER_PROVIDED'
    return
  }
  // Redis spreads its keys itself: the same one always to the same endpoint.
  if (build.features.redisFilter && protocol === 'REDIS') {
    cluster.lb_policy = 'MAGLEV'
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

/** What decides on endpoints near and far: a setting of localities, or zone awareness, which Envoy itself brings about. */
export type LbSetting =
  | {
      readonly kind: 'locality'
      readonly setting: LocalityLoadBalancerSetting /** Without outlier detection, too. */
      readonly force: boolean
    }
  | { readonly kind: 'zone'; readonly setting: ZoneAwareLoadBalancerSetting }

/**
 * The destination's own setting, else what its Service prefers, else the mesh's; undefined when switched off (istiod's
 * `GetEffectiveLbSetting`).
 */
export function effectiveLbSetting(
  settings: LoadBalancerSettings | undefined,
  { trafficDistribution }: MeshService,
  mesh: MeshConfig,
): LbSetting | undefined {
  if (settings?.zoneAwareLbSetting !== undefined) return { kind: 'zone', setting: settings.zoneAwareLbSetting }
  if (settings?.localityLbSetting !== undefined) return localities(settings.localityLbSetting)
  if (trafficDistribution !== undefined)
    return { kind: 'locality', setting: { failoverPriority: PREFERRED[trafficDistribution] }, force: true }
  if (mesh.zoneAwareLbSetting !== undefined) return { kind: 'zone', setting: mesh.zoneAwareLbSetting }
  return mesh.localityLbSetting === undefined ? undefined : localities(mesh.localityLbSetting)
}

function localities(setting: LocalityLoadBalancerSetting): LbSetting | undefined {
  return setting.enabled === false ? undefined : { kind: 'locality', setting, force: false }
}

const SAME_ZONE = ['topology.istio.io/network', 'topology.kubernetes.io/region', 'topology.kubernetes.io/zone']
const PREFERRED = {
  PreferSameZone: SAME_ZONE,
  PreferSameNode: [...SAME_ZONE, 'topology.istio.io/subzone', 'kubernetes.io/hostname'],
}
