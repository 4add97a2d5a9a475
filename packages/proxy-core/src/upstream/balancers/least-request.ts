import type { Endpoint } from '../endpoint.js'
import type { LoadBalancerDeps } from '../load-balancer.js'
import { type Chooser, type ChooserPolicy, sameWeights, type WeightedEndpoint } from './chooser.js'
import { createEdf } from './edf.js'
import { type SlowStart, weightNow } from './slow-start.js'

export interface LeastRequestConfig {
  /** How many endpoints are drawn, the least busy of which wins; 2 by default. */
  readonly choiceCount: number
  /** How much active requests take off a weight; 1 by default, 0 is weighted round robin. */
  readonly activeRequestBias: number
  /** selection_method FULL_SCAN: all endpoints are looked at. */
  readonly fullScan?: boolean
  readonly slowStart?: SlowStart
}

/** LEAST_REQUEST: the power of two choices; with different weights, deadlines by weight over active requests. */
export function leastRequest(config: LeastRequestConfig): ChooserPolicy {
  const { activeRequestBias, slowStart } = config
  return {
    name: 'LEAST_REQUEST',
    byHash: false,
    create(hosts, deps) {
      const { random, activeRequests } = deps
      if (slowStart !== undefined || !sameWeights(hosts)) {
        const weightOf = (host: WeightedEndpoint): number =>
          weightNow(host, slowStart, deps) / (activeRequests(host.endpoint) + 1) ** activeRequestBias
        const edf = createEdf(hosts, weightOf, random)
        return { choose: () => edf.pick()?.endpoint }
      }
      return config.fullScan === true ? scanning(hosts, deps) : drawing(hosts, config.choiceCount, deps)
    },
  }
}

function drawing(hosts: readonly WeightedEndpoint[], choiceCount: number, { random, activeRequests }: LoadBalancerDeps): Chooser {
  return {
    choose() {
      let best: Endpoint | undefined
      let fewest = Number.POSITIVE_INFINITY
      for (let i = 0; i < choiceCount; i++) {
        const candidate = hosts[Math.floor(random.next() * hosts.length)]?.endpoint
        if (candidate === undefined) return undefined
        const active = activeRequests(candidate)
        if (active < fewest) {
          best = candidate
          fewest = active
        }
      }
      return best
    },
  }
}

/** Among equals chance decides. */
function scanning(hosts: readonly WeightedEndpoint[], { random, activeRequests }: LoadBalancerDeps): Chooser {
  return {
    choose() {
      let best: Endpoint | undefined
      let fewest = Number.POSITIVE_INFINITY
      let equals = 0
      for (const { endpoint } of hosts) {
        const active = activeRequests(endpoint)
        if (active > fewest) continue
        equals = active < fewest ? 1 : equals + 1
        if (active < fewest || random.next() * equals < 1) best = endpoint
        fewest = active
      }
      return best
    },
  }
}
