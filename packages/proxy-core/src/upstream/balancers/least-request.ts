import type { Endpoint } from '../endpoint.js'
import { type ChooserPolicy, sameWeights } from './chooser.js'
import { createEdf } from './edf.js'

export interface LeastRequestConfig {
  /** How many endpoints are drawn, the least busy of which wins; 2 by default. */
  readonly choiceCount: number
  /** How much active requests take off a weight; 1 by default, 0 is weighted round robin. */
  readonly activeRequestBias: number
}

/** LEAST_REQUEST: the power of two choices; with different weights, deadlines by weight over active requests. */
export function leastRequest({ choiceCount, activeRequestBias }: LeastRequestConfig): ChooserPolicy {
  return {
    name: 'LEAST_REQUEST',
    byHash: false,
    create(hosts, { random, activeRequests }) {
      if (!sameWeights(hosts)) {
        const edf = createEdf(
          hosts,
          ({ endpoint, weight }) => weight / (activeRequests(endpoint) + 1) ** activeRequestBias,
          random,
        )
        return { choose: () => edf.pick()?.endpoint }
      }
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
    },
  }
}
