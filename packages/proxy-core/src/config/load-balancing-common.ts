import type { Cluster_CommonLbConfig, Cluster_SlowStartConfig } from '@heddle/xds-types/envoy/config/cluster/v3'
import { boundedLoad } from '../upstream/balancers/bounded-load.js'
import type { ChooserPolicy } from '../upstream/balancers/chooser.js'
import { DEFAULT_TABLE_SIZE, isPrime, maglev } from '../upstream/balancers/maglev.js'
import { ringHash } from '../upstream/balancers/ring-hash.js'
import type { SlowStart } from '../upstream/balancers/slow-start.js'
import { murmurHash2 } from '../upstream/murmur.js'
import type { CompileDeps } from './compiled.js'
import type { Fields } from './fields.js'
import { compileRuntimeDouble } from './fraction.js'

/** What lb_policy and the typed policies have in common. */

const DEFAULT_PANIC_PERCENT = 50
const MAX_RING = 8 * 1024 * 1024
const MAX_TABLE = 5_000_011

/** What common_lb_config says to every policy. */
export interface CommonLb {
  readonly panicThreshold: number
  readonly failOnPanic: boolean
  readonly localityWeighted: boolean
  readonly useHostname: boolean
  /** hash_balance_factor in percent; 0: loads have no bounds. */
  readonly balanceFactor: number
  readonly ignoreNewHosts: boolean
  readonly overrideHostStatus: ReadonlySet<string>
}

const NO_COMMON: CommonLb = {
  panicThreshold: DEFAULT_PANIC_PERCENT,
  failOnPanic: false,
  localityWeighted: false,
  useHostname: false,
  balanceFactor: 0,
  ignoreNewHosts: false,
  overrideHostStatus: new Set(['UNKNOWN', 'HEALTHY', 'DEGRADED']),
}

export function compileCommon(common: Fields<Cluster_CommonLbConfig> | undefined): CommonLb {
  if (common === undefined) return NO_COMMON
  const threshold = common.message('healthy_panic_threshold')
  const consistent = common.message('consistent_hashing_lb_config')
  const locality = common.message('locality_weighted_lb_config')
  const zones = common.message('zone_aware_lb_config')
  const override = common.message('override_host_status')
  const out: CommonLb = {
    // An empty Percent is 0: never panic. Istio says it that way.
    panicThreshold: threshold === undefined ? DEFAULT_PANIC_PERCENT : threshold.number('value'),
    failOnPanic: zones?.boolean('fail_traffic_on_panic') ?? false,
    localityWeighted: locality !== undefined,
    useHostname: consistent?.boolean('use_hostname_for_hashing') ?? false,
    balanceFactor: consistent?.number('hash_balance_factor', 0) ?? 0,
    ignoreNewHosts: common.boolean('ignore_new_hosts_until_first_hc'),
    overrideHostStatus: override === undefined ? NO_COMMON.overrideHostStatus : new Set(override.strings('statuses')),
  }
  threshold?.done()
  consistent?.done()
  locality?.done()
  zones?.done({
    routing_enabled: 'means nothing without a local cluster',
    min_cluster_size: 'means nothing without a local cluster',
    force_local_zone: 'means nothing without a local cluster',
  })
  override?.done()
  common.done({ update_merge_window: 'updates are taken as they come' })
  return out
}

/** A policy that hashes, with its loads bounded where they shall be. */
export function bounded(policy: ChooserPolicy, balanceFactor: number): ChooserPolicy {
  return balanceFactor === 0 ? policy : boundedLoad(policy, balanceFactor)
}

interface RingHashFields {
  hash_function?: unknown
  minimum_ring_size?: unknown
  maximum_ring_size?: unknown
}

/** RingHashLbConfig, and the fields of the typed policy that mean the same. */
export function compileRingHash(
  ring: Fields<RingHashFields> | undefined,
  useHostname: boolean,
  deps: CompileDeps,
): ChooserPolicy {
  const sizes = {
    minimumRingSize: ring?.number('minimum_ring_size', 1024) ?? 1024,
    maximumRingSize: ring?.number('maximum_ring_size', MAX_RING) ?? MAX_RING,
  }
  const names = ['XX_HASH', 'MURMUR_HASH_2', 'DEFAULT_HASH'] as const
  const hash64 = ring?.choice('hash_function', names, 'XX_HASH') === 'MURMUR_HASH_2' ? murmurHash2 : deps.hash64
  if (sizes.minimumRingSize > sizes.maximumRingSize) ring?.problem('minimum_ring_size is above maximum_ring_size.')
  if (sizes.maximumRingSize > MAX_RING) ring?.problem(`maximum_ring_size must be at most ${MAX_RING}.`)
  return ringHash({ ...sizes, useHostname }, hash64)
}

/** MaglevLbConfig, and the field of the typed policy that means the same. */
export function compileMaglev(
  table: Fields<{ table_size?: unknown }> | undefined,
  useHostname: boolean,
  deps: CompileDeps,
): ChooserPolicy {
  const tableSize = table?.number('table_size', DEFAULT_TABLE_SIZE) ?? DEFAULT_TABLE_SIZE
  const usable = isPrime(tableSize) && tableSize <= MAX_TABLE
  if (!usable) table?.problem(`table_size must be a prime number up to ${MAX_TABLE}.`)
  return maglev({ tableSize: usable ? tableSize : DEFAULT_TABLE_SIZE, useHostname }, deps.hash64)
}

export function compileSlowStart(fields: Fields<Cluster_SlowStartConfig> | undefined): SlowStart | undefined {
  if (fields === undefined) return undefined
  const least = fields.message('min_weight_percent')
  const config: SlowStart = {
    windowMs: fields.durationMs('slow_start_window', 0),
    aggression: Math.max(compileRuntimeDouble(fields.message('aggression'), 1), Number.MIN_VALUE),
    minWeight: (least === undefined ? 10 : least.number('value')) / 100,
  }
  least?.done()
  fields.done()
  return config.windowMs > 0 ? config : undefined
}
