import type { Clock, Random, Unsubscribe } from '@heddle/runtime'
import type { OutlierConfig } from '../config/compiled.js'
import type { Endpoint } from './endpoint.js'
import { failurePercentageOutliers, successRateOutliers } from './outlier-statistics.js'

/** The detections, as Envoy's counters name them. */
export const OUTLIER_KINDS = [
  'consecutive_5xx',
  'consecutive_gateway_failure',
  'consecutive_local_origin_failure',
  'success_rate',
  'failure_percentage',
] as const
export type OutlierKind = (typeof OUTLIER_KINDS)[number]

export interface OutlierDeps {
  readonly clock: Clock
  readonly random: Random
  /** Found to be failing, whether or not that is enforced; `why` names the detection. */
  onDetected?(endpoint: Endpoint, why: OutlierKind): void
  /** Was to be ejected, but too many are already. */
  onOverflow?(): void
  /** Of an ejection or a return, for counters and logs; `why` names the detection. */
  onChange?(endpoint: Endpoint, change: 'ejected' | 'returned', why: OutlierKind | 'interval'): void
}

/** What the data path tells a detector, and asks of it. */
export interface OutlierDetector {
  /** The endpoints that are watched; ejections of those that stay live on. */
  setEndpoints(endpoints: readonly Endpoint[]): void
  /** A response's status. */
  onResponse(endpoint: Endpoint, status: number): void
  /** No response: `connect` failed before a connection stood, `reset` after. */
  onLocalFailure(endpoint: Endpoint, kind: 'connect' | 'reset' | 'timeout'): void
  onConnected(endpoint: Endpoint): void
  /** Lets it back in before its time. */
  uneject(endpoint: Endpoint): void
  isEjected(endpoint: Endpoint): boolean
  close(): void
}

/** What is counted of one endpoint. */
interface Watched {
  consecutive5xx: number
  consecutiveGateway: number
  consecutiveLocal: number
  /** Since the last interval, for the statistics. */
  requests: number
  successes: number
  ejectedAt: number | undefined
  /** How long the present ejection lasts at least. */
  ejectedForMs: number
  /** How often it was ejected lately: each time lasts longer. */
  backoff: number
}

/** Envoy's outlier detection: ejects endpoints that fail, for longer each time, never more than the configured share. */
export function createOutlierDetector(config: OutlierConfig, deps: OutlierDeps): OutlierDetector {
  const { clock, random } = deps
  let watched = new Map<Endpoint, Watched>()
  let stop: Unsubscribe | undefined

  const ejected = (): number => [...watched.values()].filter(({ ejectedAt }) => ejectedAt !== undefined).length

  const mayEjectOneMore = (): boolean => {
    const already = ejected()
    return (100 * (already + 1)) / watched.size <= config.maxEjectionPercent || (config.alwaysEjectOneHost && already === 0)
  }

  const eject = (endpoint: Endpoint, state: Watched, enforcing: number, why: OutlierKind): void => {
    if (state.ejectedAt !== undefined) return
    deps.onDetected?.(endpoint, why)
    if (!mayEjectOneMore()) {
      deps.onOverflow?.()
      return
    }
    if (random.next() * 100 >= enforcing) return
    state.backoff++
    state.ejectedAt = clock.monotonic()
    state.ejectedForMs =
      Math.min(config.baseEjectionTimeMs * state.backoff, config.maxEjectionTimeMs) +
      random.next() * config.maxEjectionTimeJitterMs
    deps.onChange?.(endpoint, 'ejected', why)
  }

  // A threshold of 0 is never reached, as in Envoy.
  const countGateway = (endpoint: Endpoint, state: Watched): void => {
    if (++state.consecutiveGateway !== config.consecutiveGatewayFailure) return
    state.consecutiveGateway = 0
    eject(endpoint, state, config.enforcingConsecutiveGatewayFailure, 'consecutive_gateway_failure')
  }

  const count5xx = (endpoint: Endpoint, state: Watched): void => {
    if (++state.consecutive5xx !== config.consecutive5xx) return
    state.consecutive5xx = 0
    eject(endpoint, state, config.enforcingConsecutive5xx, 'consecutive_5xx')
  }

  const comeBack = (endpoint: Endpoint, state: Watched): void => {
    state.ejectedAt = undefined
    state.consecutive5xx = state.consecutiveGateway = state.consecutiveLocal = 0
    deps.onChange?.(endpoint, 'returned', 'interval')
  }

  const sweep = (): void => {
    const now = clock.monotonic()
    for (const [endpoint, state] of watched) {
      if (state.ejectedAt === undefined) state.backoff = Math.max(0, state.backoff - 1)
      else if (now - state.ejectedAt >= state.ejectedForMs) comeBack(endpoint, state)
    }
    const counts = [...watched].map(([endpoint, { requests, successes }]) => ({ endpoint, requests, successes }))
    for (const endpoint of successRateOutliers(counts, config.successRate))
      eject(endpoint, watched.get(endpoint)!, config.successRate.enforcing, 'success_rate')
    for (const endpoint of failurePercentageOutliers(counts, config.failurePercentage)) {
      eject(endpoint, watched.get(endpoint)!, config.failurePercentage.enforcing, 'failure_percentage')
    }
    for (const state of watched.values()) state.requests = state.successes = 0
    stop = clock.after(config.intervalMs, sweep)
  }
  stop = clock.after(config.intervalMs, sweep)

  return {
    setEndpoints(endpoints) {
      watched = new Map(endpoints.map((endpoint) => [endpoint, watched.get(endpoint) ?? fresh()]))
    },
    onResponse(endpoint, status) {
      const state = watched.get(endpoint)
      if (state === undefined) return
      state.requests++
      if (status < 500) {
        state.successes++
        state.consecutive5xx = state.consecutiveGateway = 0
        return
      }
      if (status >= 502 && status <= 504) countGateway(endpoint, state)
      else state.consecutiveGateway = 0
      count5xx(endpoint, state)
    },
    onLocalFailure(endpoint) {
      const state = watched.get(endpoint)
      if (state === undefined) return
      state.requests++
      if (!config.splitExternalLocalOriginErrors) {
        countGateway(endpoint, state)
        count5xx(endpoint, state)
      } else if (++state.consecutiveLocal === config.consecutiveLocalOriginFailure) {
        state.consecutiveLocal = 0
        eject(endpoint, state, config.enforcingConsecutiveLocalOriginFailure, 'consecutive_local_origin_failure')
      }
    },
    onConnected(endpoint) {
      const state = watched.get(endpoint)
      if (state !== undefined) state.consecutiveLocal = 0
    },
    uneject(endpoint) {
      const state = watched.get(endpoint)
      if (state?.ejectedAt !== undefined) comeBack(endpoint, state)
    },
    isEjected: (endpoint) => watched.get(endpoint)?.ejectedAt !== undefined,
    close() {
      stop?.()
    },
  }
}

function fresh(): Watched {
  return {
    consecutive5xx: 0,
    consecutiveGateway: 0,
    consecutiveLocal: 0,
    requests: 0,
    successes: 0,
    ejectedAt: undefined,
    ejectedForMs: 0,
    backoff: 0,
  }
}
