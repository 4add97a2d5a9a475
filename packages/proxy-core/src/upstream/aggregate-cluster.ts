import type { Random } from '@heddle/runtime'
import type { CompiledCluster } from '../config/compiled.js'
import type { ClusterStats } from '../observe/stats.js'
import { type PriorityHealth, priorityLoad } from './balancers/priority-load.js'
import { createClusterResources } from './circuit-breaker.js'
import type { RoutePriority, UpstreamCluster } from './cluster.js'
import { type ClusterHealth, priorityHealth } from './cluster-health.js'
import type { Endpoint } from './endpoint.js'
import type { PickContext } from './load-balancer.js'

export interface AggregateOptions {
  readonly compiled: CompiledCluster
  readonly clusters: readonly string[]
  readonly stats: ClusterStats
  readonly random: Random
  member(name: string): UpstreamCluster | undefined
}

/**
 * envoy.clusters.aggregate: the priorities of its clusters stand one behind the other, and a healthy earlier one takes all.
 * Endpoints, pools, health and limits of connections stay those of the cluster that an endpoint is of.
 */
export function createAggregateCluster({ compiled, clusters, stats, random, member }: AggregateOptions): UpstreamCluster {
  const owners = new WeakMap<Endpoint, UpstreamCluster>()
  const members = (): readonly UpstreamCluster[] => clusters.flatMap((name) => member(name) ?? [])
  const ownerOf = (endpoint: Endpoint): UpstreamCluster => {
    const owner = owners.get(endpoint)
    if (owner === undefined) throw new Error(`${compiled.name} did not choose that endpoint`)
    return owner
  }
  const resources: Readonly<Record<RoutePriority, ReturnType<typeof createClusterResources>>> = {
    DEFAULT: createClusterResources(compiled.circuitBreakers),
    HIGH: createClusterResources(compiled.highCircuitBreakers),
  }
  return {
    compiled,
    stats,
    resources: resources.DEFAULT,
    resourcesFor: (priority) => resources[priority],
    outlierFor: (endpoint) => owners.get(endpoint)?.outlierFor(endpoint),
    health: UNWATCHED,
    healthStatus: (endpoint) => owners.get(endpoint)?.healthStatus(endpoint) ?? 'UNKNOWN',
    failNow: (endpoint) => owners.get(endpoint)?.failNow(endpoint),
    pick(context, destination) {
      const found = choose(members(), context, compiled, random)
      const endpoint = found?.owner.pick({ ...context, priority: found.priority }, destination)
      if (found !== undefined && endpoint !== undefined) owners.set(endpoint, found.owner)
      return endpoint
    },
    protocolFor: (downstream, endpoint) =>
      (endpoint === undefined ? undefined : owners.get(endpoint))?.protocolFor(downstream, endpoint) ?? 'HTTP1',
    pool: (endpoint, protocol, options) => ownerOf(endpoint).pool(endpoint, protocol, options),
    connect: (endpoint, downstream) => ownerOf(endpoint).connect(endpoint, downstream),
    host: (endpoint) => ownerOf(endpoint).host(endpoint),
    get endpoints() {
      return members().flatMap(({ endpoints }) => endpoints)
    },
    hosts: [],
    drain() {},
  }
}

interface Place {
  readonly owner: UpstreamCluster
  readonly priority: number
}

function choose(
  members: readonly UpstreamCluster[],
  { hash }: PickContext,
  { panicThreshold }: CompiledCluster,
  random: Random,
): Place | undefined {
  const places: Place[] = []
  const sizes: PriorityHealth[] = []
  for (const owner of members) {
    for (const [priority, size] of priorityHealth(owner.endpoints, owner.health).entries()) {
      places.push({ owner, priority })
      sizes.push(size)
    }
  }
  const loads = priorityLoad(sizes, OVERPROVISIONING, panicThreshold)
  let at = hash === undefined ? Math.floor(random.next() * 100) : Number(hash % 100n)
  for (const side of ['healthy', 'degraded'] as const) {
    for (const [i, load] of loads.entries()) {
      if (at < load[side]) return places[i]
      at -= load[side]
    }
  }
  return places[0]
}

const OVERPROVISIONING = 140

const UNWATCHED: ClusterHealth = {
  outlier: undefined,
  epoch: 0,
  active: () => undefined,
  isHealthy: () => true,
  isDegraded: () => false,
  isExcluded: () => false,
  failNow() {},
  settled: true,
  setEndpoints() {},
  close() {},
}
