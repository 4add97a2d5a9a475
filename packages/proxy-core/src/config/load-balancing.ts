import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ChooserPolicy } from '../upstream/balancers/chooser.js'
import { leastRequest } from '../upstream/balancers/least-request.js'
import { DEFAULT_TABLE_SIZE, isPrime, maglev } from '../upstream/balancers/maglev.js'
import type { PickerConfig } from '../upstream/balancers/picker.js'
import { randomChoice } from '../upstream/balancers/random.js'
import { ringHash } from '../upstream/balancers/ring-hash.js'
import { roundRobin } from '../upstream/balancers/round-robin.js'
import { murmurHash2 } from '../upstream/murmur.js'
import type { CompileDeps } from './compiled.js'
import type { Fields } from './fields.js'

const POLICIES = ['ROUND_ROBIN', 'LEAST_REQUEST', 'RING_HASH', 'RANDOM', 'MAGLEV', 'CLUSTER_PROVIDED'] as const
const DEFAULT_PANIC_PERCENT = 50
const MAX_RING = 8 * 1024 * 1024
const MAX_TABLE = 5_000_011

/** lb_policy, its own config and common_lb_config. */
export function compileLoadBalancing(fields: Fields<Cluster>, deps: CompileDeps): PickerConfig {
  const common = compileCommon(fields)
  return {
    policy: compilePolicy(fields, common.useHostname, deps),
    panicThreshold: common.panicThreshold,
    localityWeighted: common.localityWeighted,
  }
}

interface CommonLb {
  readonly panicThreshold: number
  readonly localityWeighted: boolean
  readonly useHostname: boolean
}

function compileCommon(fields: Fields<Cluster>): CommonLb {
  const common = fields.message('common_lb_config')
  if (common === undefined) return { panicThreshold: DEFAULT_PANIC_PERCENT, localityWeighted: false, useHostname: false }
  const threshold = common.message('healthy_panic_threshold')
  const consistent = common.message('consistent_hashing_lb_config')
  const locality = common.message('locality_weighted_lb_config')
  const out = {
    // An empty Percent is 0: never panic. Istio says it that way.
    panicThreshold: threshold === undefined ? DEFAULT_PANIC_PERCENT : threshold.number('value'),
    localityWeighted: locality !== undefined,
    useHostname: consistent?.boolean('use_hostname_for_hashing') ?? false,
  }
  threshold?.done()
  consistent?.done()
  locality?.done()
  common.done({
    update_merge_window: 'updates are taken as they come',
    zone_aware_lb_config: 'means nothing without a local cluster',
    ignore_new_hosts_until_first_hc: 'means nothing without health checks',
  })
  return out
}

function compilePolicy(fields: Fields<Cluster>, useHostname: boolean, deps: CompileDeps): ChooserPolicy {
  const name = fields.choice('lb_policy', POLICIES, 'ROUND_ROBIN')
  fields.message('round_robin_lb_config')?.done()
  const least = fields.message('least_request_lb_config')
  const choiceCount = least?.number('choice_count', 2) ?? 2
  const bias = least?.message('active_request_bias')
  const activeRequestBias = bias?.number('default_value', 1) ?? 1
  bias?.done({ runtime_key: 'no runtime layer overrides it' })
  least?.done()
  const ring = fields.message('ring_hash_lb_config')
  const sizes = {
    minimumRingSize: ring?.number('minimum_ring_size', 1024) ?? 1024,
    maximumRingSize: ring?.number('maximum_ring_size', MAX_RING) ?? MAX_RING,
  }
  const ringHash64 =
    ring?.choice('hash_function', ['XX_HASH', 'MURMUR_HASH_2'], 'XX_HASH') === 'MURMUR_HASH_2' ? murmurHash2 : deps.hash64
  ring?.done()
  if (sizes.minimumRingSize > sizes.maximumRingSize)
    fields.problem('minimum_ring_size is above maximum_ring_size.', 'ring_hash_lb_config')
  const table = fields.message('maglev_lb_config')
  const tableSize = table?.number('table_size', DEFAULT_TABLE_SIZE) ?? DEFAULT_TABLE_SIZE
  table?.done()
  const usable = isPrime(tableSize) && tableSize <= MAX_TABLE
  if (!usable) fields.problem(`table_size must be a prime number up to ${MAX_TABLE}.`, 'maglev_lb_config')
  if (sizes.maximumRingSize > MAX_RING) fields.problem(`maximum_ring_size must be at most ${MAX_RING}.`, 'ring_hash_lb_config')
  switch (name) {
    case 'LEAST_REQUEST':
      return leastRequest({ choiceCount: Math.max(2, choiceCount), activeRequestBias })
    case 'RING_HASH':
      return ringHash({ ...sizes, useHostname }, ringHash64)
    case 'MAGLEV':
      return maglev({ tableSize: usable ? tableSize : DEFAULT_TABLE_SIZE, useHostname }, deps.hash64)
    case 'RANDOM':
      return randomChoice
    default:
      return roundRobin
  }
}
