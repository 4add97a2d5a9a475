import type { Endpoint, EndpointSet, Locality } from '../endpoint.js'
import type { LoadBalancerDeps, PickContext, Picker } from '../load-balancer.js'
import { type Chooser, type ChooserPolicy, NOBODY, type WeightedEndpoint } from './chooser.js'
import { createEdf } from './edf.js'
import { type PriorityLoad, priorityLoad } from './priority-load.js'

export interface PickerConfig {
  readonly policy: ChooserPolicy
  /** healthy_panic_threshold in percent: 50 by default, 0 never panics. */
  readonly panicThreshold: number
  /** locality_weighted_lb_config is set. */
  readonly localityWeighted: boolean
}

const UNHEALTHY = 0
const DEGRADED = 1
const HEALTHY = 2

/** Priorities, panic and localities around one policy: everything of Envoy's load balancers that is not the policy itself. */
export function createPicker(config: PickerConfig, set: EndpointSet, deps: LoadBalancerDeps): Picker {
  let health: Uint8Array | undefined
  let epoch: number | undefined
  let pools: readonly PriorityPools[] = []

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
      const most = context.tried === undefined || context.tried.length === 0 ? 0 : (context.attempts ?? 1)
      for (let attempt = 0; ; attempt++) {
        const endpoint = choosePool(pools, context, config, deps).choose(context, attempt)
        if (endpoint === undefined || attempt >= most || !context.tried?.includes(endpoint)) return endpoint
      }
    },
  }
}

function healthOf(endpoint: Endpoint, deps: LoadBalancerDeps): number {
  if (endpoint.health === 'UNHEALTHY' || endpoint.health === 'DRAINING' || !deps.isHealthy(endpoint)) return UNHEALTHY
  return endpoint.health === 'DEGRADED' ? DEGRADED : HEALTHY
}

interface PriorityPools {
  readonly load: PriorityLoad
  readonly healthy: Chooser
  readonly degraded: Chooser
}

function choosePool(
  pools: readonly PriorityPools[],
  { hash }: PickContext,
  { policy }: PickerConfig,
  { random }: LoadBalancerDeps,
): Chooser {
  const only = pools[0]
  if (only === undefined) return NOBODY
  if (only.load.healthy === 100) return only.healthy
  let at = policy.byHash && hash !== undefined ? Number(hash % 100n) : Math.floor(random.next() * 100)
  for (const { load, healthy } of pools) {
    if (at < load.healthy) return healthy
    at -= load.healthy
  }
  for (const { load, degraded } of pools) {
    if (at < load.degraded) return degraded
    at -= load.degraded
  }
  return only.healthy
}

function buildPools(
  config: PickerConfig,
  set: EndpointSet,
  health: Uint8Array,
  deps: LoadBalancerDeps,
): readonly PriorityPools[] {
  const count = set.endpoints.reduce((most, { priority }) => Math.max(most, priority + 1), 0)
  const groups = Array.from({ length: count }, () => [[], [], []] as [Endpoint[], Endpoint[], Endpoint[]])
  for (const [i, endpoint] of set.endpoints.entries()) groups[endpoint.priority]![health[i] as 0 | 1 | 2].push(endpoint)
  const loads = priorityLoad(
    groups.map((group) => ({
      total: group[0].length + group[1].length + group[2].length,
      healthy: group[2].length,
      degraded: group[1].length,
    })),
    set.overprovisioningFactor,
    config.panicThreshold,
  )
  return groups.map((group, priority) => {
    const load = loads[priority]!
    const all = group.flat()
    const pool = (hosts: readonly Endpoint[]): Chooser => createPool(config, set, priority, hosts, all, deps)
    return { load, healthy: pool(load.panic ? all : group[HEALTHY]), degraded: pool(group[DEGRADED]) }
  })
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
  if (!config.localityWeighted) return config.policy.create(plain(hosts), deps)
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
