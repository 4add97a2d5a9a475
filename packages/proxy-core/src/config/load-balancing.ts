import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ChooserPolicy } from '../upstream/balancers/chooser.js'
import { leastRequest } from '../upstream/balancers/least-request.js'
import { createPicker } from '../upstream/balancers/picker.js'
import { randomChoice } from '../upstream/balancers/random.js'
import { createRoundRobin } from '../upstream/balancers/round-robin.js'
import { type CreatePicker, createSubsetPicker } from '../upstream/balancers/subset.js'
import type { CompileDeps, CompiledCluster } from './compiled.js'
import type { Fields } from './fields.js'
import { compileRuntimeDouble } from './fraction.js'
import {
  bounded,
  type CommonLb,
  compileCommon,
  compileMaglev,
  compileRingHash,
  compileSlowStart,
} from './load-balancing-common.js'
import { compileBalancingPolicy } from './load-balancing-policy.js'
import { compileSubsets } from './subsets.js'

const POLICIES = [
  'ROUND_ROBIN',
  'LEAST_REQUEST',
  'RING_HASH',
  'RANDOM',
  'MAGLEV',
  'CLUSTER_PROVIDED',
  'LOAD_BALANCING_POLICY_CONFIG',
] as const

export type Balancing = Pick<
  CompiledCluster,
  'createPicker' | 'panicThreshold' | 'overrideHostStatus' | 'ignoreNewHostsUntilFirstCheck'
>

/** lb_policy and its own config, load_balancing_policy which goes before it, lb_subset_config and common_lb_config. */
export function compileLoadBalancing(fields: Fields<Cluster>, deps: CompileDeps): Balancing {
  const common = compileCommon(fields.message('common_lb_config'))
  const policy = compilePolicy(fields, common, deps)
  const plain: CreatePicker = (set, pickerDeps) => createPicker({ policy, ...common }, set, pickerDeps)
  const subsets = compileSubsets(fields.message('lb_subset_config'))
  const typed = fields.message('load_balancing_policy')
  return {
    createPicker:
      (typed && compileBalancingPolicy(typed, common, deps)) ??
      (subsets === undefined ? plain : (set, pickerDeps) => createSubsetPicker(subsets, plain, set, pickerDeps)),
    panicThreshold: common.panicThreshold,
    overrideHostStatus: common.overrideHostStatus,
    ignoreNewHostsUntilFirstCheck: common.ignoreNewHosts,
  }
}

function compilePolicy(fields: Fields<Cluster>, { useHostname, balanceFactor }: CommonLb, deps: CompileDeps): ChooserPolicy {
  const name = fields.choice('lb_policy', POLICIES, 'ROUND_ROBIN')
  const robin = fields.message('round_robin_lb_config')
  const slowStart = compileSlowStart(robin?.message('slow_start_config'))
  robin?.done()
  const least = fields.message('least_request_lb_config')
  const leastConfig = {
    choiceCount: Math.max(2, least?.number('choice_count', 2) ?? 2),
    activeRequestBias: compileRuntimeDouble(least?.message('active_request_bias'), 1),
  }
  const leastSlowStart = compileSlowStart(least?.message('slow_start_config'))
  least?.done()
  const ring = fields.message('ring_hash_lb_config')
  const ringConfig = compileRingHash(ring, useHostname, deps)
  ring?.done()
  const table = fields.message('maglev_lb_config')
  const tablePolicy = compileMaglev(table, useHostname, deps)
  table?.done()
  switch (name) {
    case 'LEAST_REQUEST':
      return leastRequest({ ...leastConfig, ...(leastSlowStart && { slowStart: leastSlowStart }) })
    case 'RING_HASH':
      return bounded(ringConfig, balanceFactor)
    case 'MAGLEV':
      return bounded(tablePolicy, balanceFactor)
    case 'RANDOM':
      return randomChoice
    default:
      return createRoundRobin(slowStart)
  }
}
