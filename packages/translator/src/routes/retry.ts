import type { HTTPRetry } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { RetryPolicy } from '@heddle/xds-types/envoy/config/route/v3'
import { duration, typed } from '../message.js'

/** Istio's own when neither the rule nor the mesh says more. */
const DEFAULT_RETRY_ON = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes'
const DEFAULT_ATTEMPTS = 2

/** How often a host that was tried is drawn again before the retry goes to it after all. */
const HOST_ATTEMPTS = '5'

const PREVIOUS_HOSTS = {
  name: 'envoy.retry_host_predicates.previous_hosts',
  typed_config: typed('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'),
}

/**
 * A retry policy, written out on every route; undefined when `attempts` is 0 or left out.
 * A consistent hash must find the same host again, so with it no host is avoided.
 */
export function retryPolicy(retries: HTTPRetry | undefined, consistentHash: boolean): RetryPolicy | undefined {
  const of = retries ?? NONE_GIVEN
  let made = known.get(of)
  if (made === undefined) known.set(of, (made = [undefined, undefined]))
  const at = consistentHash ? 1 : 0
  if (made[at] === undefined) {
    const policy = policyOf(retries, consistentHash)
    made[at] = policy === undefined ? undefined : writtenOnce(policy)
  }
  return made[at]
}

// Nearly all routes have the mesh's.
const known = new WeakMap<object, [RetryPolicy | undefined, RetryPolicy | undefined]>()
const NONE_GIVEN = {}

function policyOf(retries: HTTPRetry | undefined, consistentHash: boolean): RetryPolicy | undefined {
  if (retries === undefined) return policy(DEFAULT_RETRY_ON, DEFAULT_ATTEMPTS, !consistentHash)
  // istiod cannot tell an attempts of 0 from none: a policy without it turns retries off.
  return (retries.attempts ?? 0) <= 0 ? undefined : withDetails(retries, consistentHash, retries.attempts ?? 0)
}

function withDetails(retries: HTTPRetry, consistentHash: boolean, attempts: number): RetryPolicy {
  const { on, codes } = retryOn(retries.retryOn)
  const made = policy(on, attempts, retries.retryIgnorePreviousHosts ?? !consistentHash)
  if (codes.length > 0) made.retriable_status_codes = codes
  if (retries.perTryTimeout !== undefined) made.per_try_timeout = duration(retries.perTryTimeout)
  if (retries.backoff !== undefined) made.retry_back_off = { base_interval: duration(retries.backoff) }
  if (retries.retryRemoteLocalities === true) {
    made.retry_priority = {
      name: 'envoy.retry_priorities.previous_priorities',
      typed_config: typed('envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig', {
        update_frequency: 2,
      }),
    }
  }
  return made
}

function policy(on: string, attempts: number, avoidPrevious: boolean): RetryPolicy {
  return {
    retry_on: on,
    num_retries: attempts,
    host_selection_retry_max_attempts: HOST_ATTEMPTS,
    ...(avoidPrevious ? { retry_host_predicate: [PREVIOUS_HOSTS] } : {}),
  }
}

/** Numbers in retryOn are status codes; Envoy has them in a list of their own, behind the word `retriable-status-codes`. */
function retryOn(text: string | undefined): { on: string; codes: number[] } {
  if (text === undefined || text === '') return { on: DEFAULT_RETRY_ON, codes: [] }
  const parts = text
    .split(',')
    .map((p) => p.trim())
    .filter((p) => p !== '')
  const codes = parts.map(Number).filter((n) => Number.isInteger(n))
  const words = parts.filter((p) => !Number.isInteger(Number(p)))
  const on = words.join(',')
  // istiod writes the comma even where no word stands before it.
  return { on: codes.length > 0 && !on.includes('retriable-status-codes') ? `${on},retriable-status-codes` : on, codes }
}
