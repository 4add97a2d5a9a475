import type { Endpoint, EndpointSet, Locality } from '../endpoint.js'
import type { LoadBalancerDeps, PickContext, Picker } from '../load-balancer.js'
import { type Chooser, type ChooserPolicy, NOBODY, type WeightedEndpoint } from './chooser.js'
import { createEdf } from './edf.js'
import { type PriorityHealth, type PriorityLoad, priorityLoad } from './priority-load.js'

export interface PickerConfig {
  readonly policy: ChooserPolicy
  /** healthy_panic_threshold in percent: 50 by default, 0 never panics. */
  readonly panicThreshold: number
  /** locality_weighted_lb_config is set. */
  readonly localityWeighted: boolean
  /** fail_traffic_on_panic: nobody is chosen rather than somebody who is sick. */
  readonly failOnPanic?: boolean
}

const UNHEALTHY = 0
const DEGRADED = 1
const HEALTHY = 2
const EXCLUDED = 3

/** Priorities, panic and localities around one policy: everything of Envoy's load balancers that is not the policy itself. */
export function createPicker(config: PickerConfig, set: EndpointSet, deps: LoadBalancerDeps): Picker {
  let health: Uint8Array | undefined
  let epoch: number | undefined
  let pools: Pools = { sizes: [], loads: [], priorities: [], without: () => [] }

  const refresh = (): void => {
    const now = deps.healthEpoch?.()
    if (health !== undefined && now !== undefined && now === epoch) return
    epoch = now
    const next = Uint8Array.from(set.endpoints, (endpoint) => healthOf(endpoint, deps))
    if (health?.every((value, i) => value === next[i])) return
    health = next
    pools = buildPools(config, set, next, deps)
  }

  return {
    pick(context) {
      refresh()
      const most = isPicky(context) ? (context.attempts ?? 1) : 0
      for (let attempt = 0; ; attempt++) {
        const endpoint = choosePool(pools, context, config, deps).choose(context, attempt)
        if (endpoint === undefined || attempt >= most || !isUnwanted(context, endpoint)) return endpoint
      }
    },
  }
}

function isPicky({ tried, rejects }: PickContext): boolean {
  return rejects !== undefined || (tried !== undefined && tried.length > 0)
}

function isUnwanted({ tried, rejects }: PickContext, endpoint: Endpoint): boolean {
  return tried?.includes(endpoint) === true || rejects?.(endpoint) === true
}

function healthOf(endpoint: Endpoint, deps: LoadBalancerDeps): number {
  if (endpoint.health === 'UNHEALTHY' || endpoint.health === 'DRAINING' || !deps.isHealthy(endpoint))
    return deps.isExcluded?.(endpoint) === true ? EXCLUDED : UNHEALTHY
  return endpoint.health === 'DEGRADED' || deps.isDegraded?.(endpoint) === true ? DEGRADED : HEALTHY
}

interface Pools {
  readonly sizes: readonly PriorityHealth[]
  readonly loads: readonly PriorityLoad[]
  readonly priorities: readonly PriorityPools[]
  /** The loads when some priorities have been tried already. */
  without(tried: ReadonlySet<number>): readonly PriorityLoad[]
}

interface PriorityPools {
  readonly healthy: Chooser
  readonly degraded: Chooser
  /** Of all endpoints, whatever their health. */
  readonly panic: Chooser
}

function choosePool(pools: Pools, context: PickContext, { policy, failOnPanic }: PickerConfig, deps: LoadBalancerDeps): Chooser {
  const { priorities } = pools
  if (priorities.length === 0) return NOBODY
  const { hash, triedPriorities } = context
  const loads = triedPriorities === undefined || triedPriorities.size === 0 ? pools.loads : pools.without(triedPriorities)
  const healthy = (i: number): Chooser => {
    if (!loads[i]!.panic) return priorities[i]!.healthy
    deps.onPanic?.()
    return failOnPanic === true ? NOBODY : priorities[i]!.panic
  }
  if (context.priority !== undefined && priorities[context.priority] !== undefined)
    return ofPriority(pools, context.priority, healthy)
  if (loads[0]!.healthy === 100) return healthy(0)
  let at = policy.byHash && hash !== undefined ? Number(hash % 100n) : Math.floor(deps.random.next() * 100)
  for (let i = 0; i < loads.length; i++) {
    if (at < loads[i]!.healthy) return healthy(i)
    at -= loads[i]!.healthy
  }
  for (let i = 0; i < loads.length; i++) {
    if (at < loads[i]!.degraded) return priorities[i]!.degraded
    at -= loads[i]!.degraded
  }
  return healthy(0)
}

/** An aggregate cluster has weighed the priorities already. */
function ofPriority({ loads, priorities, sizes }: Pools, priority: number, healthy: (i: number) => Chooser): Chooser {
  const { healthy: well, degraded } = sizes[priority]!
  return well > 0 || degraded === 0 || loads[priority]!.panic ? healthy(priority) : priorities[priority]!.degraded
}

function buildPools(config: PickerConfig, set: EndpointSet, health: Uint8Array, deps: LoadBalancerDeps): Pools {
  const count = set.endpoints.reduce((most, { priority }) => Math.max(most, priority + 1), 0)
  const groups = Array.from({ length: count }, () => [[], [], [], []] as [Endpoint[], Endpoint[], Endpoint[], Endpoint[]])
  for (const [i, endpoint] of set.endpoints.entries()) groups[endpoint.priority]![health[i] as 0 | 1 | 2 | 3].push(endpoint)
  const sizes = groups.map((group) => ({
    total: group[UNHEALTHY].length + group[DEGRADED].length + group[HEALTHY].length,
    healthy: group[HEALTHY].length,
    degraded: group[DEGRADED].length,
  }))
  const loadsOf = (of: readonly PriorityHealth[]): readonly PriorityLoad[] =>
    priorityLoad(of, set.overprovisioningFactor, config.panicThreshold)
  return {
    sizes,
    loads: loadsOf(sizes),
    priorities: groups.map((group, priority) => {
      const all = group.flat()
      const pool = (hosts: readonly Endpoint[]): Chooser => createPool(config, set, priority, hosts, all, deps)
      return { healthy: pool(group[HEALTHY]), degraded: pool(group[DEGRADED]), panic: lazily(() => pool(all)) }
    }),
    without(tried) {
      const left = sizes.map((size, i) => (tried.has(i) ? { total: size.total, healthy: 0, degraded: 0 } : size))
      return loadsOf(left.some(({ healthy, degraded }) => healthy + degraded > 0) ? left : sizes)
    },
  }
}

/** Panic is rare: its tables are built when it comes. */
function lazily(create: () => Chooser): Chooser {
  let chooser: Chooser | undefined
  return {
    choose(context, attempt) {
      chooser ??= create()
      return chooser.choose(context, attempt)
    },
  }
}

function createPool(
  config: PickerConfig,
  set: EndpointSet,
  priority: number,
  hosts: readonly Endpoint[],
  all: readonly Endpoint[],
  deps: LoadBalancerDeps,
): Chooser {
  if (hosts.length === 0) return NOBODY
  const plain = (endpoints: readonly Endpoint[]): WeightedEndpoint[] =>
    endpoints.map((endpoint) => ({ endpoint, weight: endpoint.weight }))
  if (!config.localityWeighted || set.localities.length === 0) return config.policy.create(plain(hosts), deps)
  const localities = weighLocalities(set, priority, hosts, all)
  if (localities.length === 0) return NOBODY
  if (config.policy.byHash) return config.policy.create(localities.flatMap(byShare), deps)
  const choosers = localities.map(({ weight, hosts: own }) => ({ weight, chooser: config.policy.create(plain(own), deps) }))
  const edf = createEdf(choosers, ({ weight }) => weight, deps.random)
  return { choose: (context, attempt) => edf.pick()?.chooser.choose(context, attempt) }
}

interface WeighedLocality {
  readonly weight: number
  readonly hosts: readonly Endpoint[]
}

// A locality keeps its whole weight until over-provisioning no longer makes up for what is sick in it.
function weighLocalities(
  set: EndpointSet,
  priority: number,
  hosts: readonly Endpoint[],
  all: readonly Endpoint[],
): readonly WeighedLocality[] {
  return set.localities
    .filter((each) => each.priority === priority && each.weight > 0)
    .map(({ locality, weight }) => {
      const own = hosts.filter((endpoint) => sameLocality(endpoint.locality, locality))
      const total = all.filter((endpoint) => sameLocality(endpoint.locality, locality)).length
      return {
        hosts: own,
        weight: weight * Math.min(1, total === 0 ? 0 : (set.overprovisioningFactor / 100) * (own.length / total)),
      }
    })
    .filter(({ weight, hosts: own }) => weight > 0 && own.length > 0)
}

function byShare({ weight, hosts }: WeighedLocality): readonly WeightedEndpoint[] {
  const total = hosts.reduce((sum, endpoint) => sum + endpoint.weight, 0)
  return hosts.map((endpoint) => ({ endpoint, weight: (weight * endpoint.weight) / total }))
}

function sameLocality(a: Locality, b: Locality): boolean {
  return a.region === b.region && a.zone === b.zone && a.subZone === b.subZone
}
