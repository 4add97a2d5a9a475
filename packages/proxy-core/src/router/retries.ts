import type { Unsubscribe } from '@heddle/runtime'
import type { ForwardContext } from '../http/forward.js'
import type { RequestStats } from '../observe/virtual-host-stats.js'
import type { ForwardAction, RetryPolicy } from '../route/table.js'
import type { UpstreamCluster } from '../upstream/cluster.js'
import type { RouterRuntime } from './forwarding.js'
import { retryDelay } from './retry.js'

interface RetriesOf {
  readonly cluster: UpstreamCluster
  readonly priority: ForwardAction['priority']
  readonly requestStats: readonly RequestStats[]
  /** Envoy's response flags of the request. */
  readonly flags: ForwardContext['entry']['info']['flags']
  readonly runtime: Pick<RouterRuntime, 'clock' | 'random'>
}

/** What is left of a request's retries, and the wait before the next one. */
export class Retries {
  readonly policy: RetryPolicy
  readonly #of: RetriesOf
  #left: number
  #stopBackoff: Unsubscribe | undefined

  constructor(policy: RetryPolicy, of: RetriesOf) {
    this.policy = policy
    this.#of = of
    this.#left = policy.numRetries
  }

  get left(): number {
    return this.#left
  }

  /** Notes why not, as Envoy's flags do. `again`: the request can be sent once more. */
  may(again: boolean): boolean {
    const { cluster, priority, requestStats, flags } = this.#of
    if (this.#left === 0) {
      flags.add('URX')
      cluster.stats.upstreamRqRetryLimitExceeded.inc()
      for (const own of requestStats) own.retryLimitExceeded.inc()
      return false
    }
    if (!again) return false
    if (cluster.resourcesFor(priority).mayRetry()) return true
    flags.add('UO')
    cluster.stats.upstreamRqRetryOverflow.inc()
    return false
  }

  /** Runs `retry` after the back-off of the attempts made so far. `delayMs`: as the answer said. */
  later(attempts: number, delayMs: number | undefined, retry: () => void): void {
    const { cluster, priority, requestStats, runtime } = this.#of
    const resources = cluster.resourcesFor(priority)
    this.#left--
    resources.retries++
    cluster.stats.upstreamRqRetry.inc()
    cluster.stats.retryBackOff(delayMs === undefined ? 'exponential' : 'ratelimited')
    for (const own of requestStats) own.retry.inc()
    const delay = delayMs ?? retryDelay(this.policy, attempts, runtime.random.next())
    const stop = runtime.clock.after(delay, () => {
      this.#stopBackoff = undefined
      resources.retries--
      retry()
    })
    this.#stopBackoff = () => {
      stop()
      resources.retries--
    }
  }

  stop(): void {
    this.#stopBackoff?.()
    this.#stopBackoff = undefined
  }
}
