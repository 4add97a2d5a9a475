import type { LoadBalancingPolicy } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { LocalityLbConfig } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/common/v3'
import type { LeastRequest } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/least_request/v3'
import type { Maglev } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/maglev/v3'
import type { OverrideHost } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/override_host/v3'
import type { Random } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/random/v3'
import type { RingHash } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/ring_hash/v3'
import type { RoundRobin } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/round_robin/v3'
import type { Subset } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/subset/v3'
import type { WrrLocality } from '@heddle/xds-types/envoy/extensions/load_balancing_policies/wrr_locality/v3'
import { asciiLower } from '../matcher/ascii.js'
import type { ChooserPolicy } from '../upstream/balancers/chooser.js'
import { leastRequest } from '../upstream/balancers/least-request.js'
import { createOverrideHostPicker } from '../upstream/balancers/override-host.js'
import { createPicker, type PickerConfig } from '../upstream/balancers/picker.js'
import { randomChoice } from '../upstream/balancers/random.js'
import { createRoundRobin, roundRobin } from '../upstream/balancers/round-robin.js'
import { type CreatePicker, createSubsetPicker } from '../upstream/balancers/subset.js'
import type { CompileDeps } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileRuntimeDouble } from './fraction.js'
import { bounded, type CommonLb, compileMaglev, compileRingHash, compileSlowStart } from './load-balancing-common.js'
import { compileSubsets } from './subsets.js'

type Compile = (fields: Fields<never>, common: CommonLb, deps: CompileDeps) => CreatePicker

/** Cluster.load_balancing_policy: the first policy of the list that is known here. */
export function compileBalancingPolicy(
  fields: Fields<LoadBalancingPolicy>,
  common: CommonLb,
  deps: CompileDeps,
): CreatePicker | undefined {
  const unknown: string[] = []
  let found: CreatePicker | undefined
  for (const policy of fields.messages('policies')) {
    const extension = policy.message('typed_extension_config')
    const config = extension?.any('typed_config')
    extension?.done({ name: 'the type decides' })
    policy.done()
    const compile = config && KNOWN.get(config.typeName)
    if (config === undefined || compile === undefined) unknown.push(config?.typeName ?? 'nothing')
    else if (found === undefined) found = compile(fieldsOf<never>(config, fields as Fields<never>), common, deps)
  }
  fields.done()
  if (found === undefined) fields.problem(`none of these is supported: ${unknown.join(', ')}.`, 'policies')
  return found
}

function picking(policy: ChooserPolicy, common: CommonLb, more: Partial<PickerConfig> = {}): CreatePicker {
  const config = { policy, ...common, ...more }
  return (set, deps) => createPicker(config, set, deps)
}

type Localities = Pick<PickerConfig, 'localityWeighted' | 'failOnPanic'>

function compileLocalities(fields: Fields<LocalityLbConfig> | undefined): Partial<Localities> {
  if (fields === undefined) return {}
  const weighted = fields.message('locality_weighted_lb_config')
  const zones = fields.message('zone_aware_lb_config')
  const failOnPanic = zones?.boolean('fail_traffic_on_panic') ?? false
  weighted?.done()
  zones?.done({
    routing_enabled: 'means nothing without a local cluster',
    min_cluster_size: 'means nothing without a local cluster',
    force_local_zone: 'means nothing without a local cluster',
    force_locality_direct_routing: 'means nothing without a local cluster',
    locality_basis: 'means nothing without a local cluster',
  })
  fields.done()
  return { localityWeighted: weighted !== undefined, failOnPanic }
}

const compileRoundRobin: Compile = (any, common) => {
  const fields = any as Fields<RoundRobin>
  const slowStart = compileSlowStart(fields.message('slow_start_config'))
  const localities = compileLocalities(fields.message('locality_lb_config'))
  fields.done()
  return picking(createRoundRobin(slowStart), common, localities)
}

const compileLeastRequest: Compile = (any, common) => {
  const fields = any as Fields<LeastRequest>
  const slowStart = compileSlowStart(fields.message('slow_start_config'))
  const policy = leastRequest({
    choiceCount: Math.max(2, fields.number('choice_count', 2)),
    activeRequestBias: compileRuntimeDouble(fields.message('active_request_bias'), 1),
    fullScan:
      fields.choice('selection_method', ['N_CHOICES', 'FULL_SCAN'], 'N_CHOICES') === 'FULL_SCAN' ||
      fields.boolean('enable_full_scan'),
    ...(slowStart && { slowStart }),
  })
  const localities = compileLocalities(fields.message('locality_lb_config'))
  fields.done()
  return picking(policy, common, localities)
}

const compileRandom: Compile = (any, common) => {
  const fields = any as Fields<Random>
  const localities = compileLocalities(fields.message('locality_lb_config'))
  fields.done()
  return picking(randomChoice, common, localities)
}

type Hashing = Pick<CommonLb, 'useHostname' | 'localityWeighted' | 'balanceFactor'>

function compileHashing(fields: Fields<RingHash> | Fields<Maglev>): Hashing {
  const both = fields as Fields<Maglev>
  const consistent = both.message('consistent_hashing_lb_config')
  const weighted = both.message('locality_weighted_lb_config')
  const useHostname = consistent?.boolean('use_hostname_for_hashing') ?? false
  const balanceFactor = consistent?.number('hash_balance_factor', 0) ?? 0
  consistent?.done()
  weighted?.done()
  return { useHostname, balanceFactor, localityWeighted: weighted !== undefined }
}

const compileTypedRingHash: Compile = (any, common, deps) => {
  const fields = any as Fields<RingHash>
  const { useHostname, localityWeighted, balanceFactor } = compileHashing(fields)
  const older = fields.number('hash_balance_factor', 0)
  const policy = compileRingHash(fields, useHostname || fields.boolean('use_hostname_for_hashing'), deps)
  fields.done()
  return picking(bounded(policy, balanceFactor || older), common, { localityWeighted })
}

const compileTypedMaglev: Compile = (any, common, deps) => {
  const fields = any as Fields<Maglev>
  const { useHostname, localityWeighted, balanceFactor } = compileHashing(fields)
  const policy = compileMaglev(fields, useHostname, deps)
  fields.done()
  return picking(bounded(policy, balanceFactor), common, { localityWeighted })
}

/** Locality weights around the policy that it names. */
const compileWrrLocality: Compile = (any, common, deps) => {
  const fields = any as Fields<WrrLocality>
  const inner = fields.message('endpoint_picking_policy')
  fields.done()
  const found = inner && compileBalancingPolicy(inner, { ...common, localityWeighted: true }, deps)
  return found ?? picking(roundRobin, common, { localityWeighted: true })
}

const compileSubset: Compile = (any, common, deps) => {
  const fields = any as Fields<Subset>
  const policy = fields.message('subset_lb_policy')
  const inner = (policy && compileBalancingPolicy(policy, common, deps)) ?? picking(roundRobin, common)
  fields.raw('allow_redundant_keys')
  const config = compileSubsets(fields as never)
  return config === undefined ? inner : (set, pickerDeps) => createSubsetPicker(config, inner, set, pickerDeps)
}

const compileOverrideHost: Compile = (any, common, deps) => {
  const fields = any as Fields<OverrideHost>
  const headers = fields.messages('override_host_sources').map((source) => {
    const header = asciiLower(source.string('header'))
    source.done()
    return header
  })
  const policy = fields.message('fallback_policy')
  const inner = (policy && compileBalancingPolicy(policy, common, deps)) ?? picking(roundRobin, common)
  fields.done()
  if (headers.length === 0) fields.problem('needs at least one source.', 'override_host_sources')
  return (set, pickerDeps) => createOverrideHostPicker({ headers }, inner, set, pickerDeps)
}

const compileClusterProvided: Compile = (fields, common) => {
  fields.done()
  return picking(roundRobin, common)
}

const policyType = (name: string, message: string): string => `envoy.extensions.load_balancing_policies.${name}.v3.${message}`

const CLUSTER_PROVIDED = policyType('cluster_provided', 'ClusterProvided')

/** The first policy of the list that is known here leaves the choice to the cluster. */
export function isClusterProvided(fields: Fields<LoadBalancingPolicy>): boolean {
  const types = fields
    .messages('policies')
    .map((policy) => policy.message('typed_extension_config')?.any('typed_config')?.typeName ?? '')
  return types.find((type) => KNOWN.has(type)) === CLUSTER_PROVIDED
}

const KNOWN: ReadonlyMap<string, Compile> = new Map([
  [policyType('round_robin', 'RoundRobin'), compileRoundRobin],
  [policyType('least_request', 'LeastRequest'), compileLeastRequest],
  [policyType('random', 'Random'), compileRandom],
  [policyType('ring_hash', 'RingHash'), compileTypedRingHash],
  [policyType('maglev', 'Maglev'), compileTypedMaglev],
  [policyType('wrr_locality', 'WrrLocality'), compileWrrLocality],
  [policyType('subset', 'Subset'), compileSubset],
  [policyType('override_host', 'OverrideHost'), compileOverrideHost],
  [CLUSTER_PROVIDED, compileClusterProvided],
])
