import type { RetryPolicy as RetryPolicyProto } from '@heddle/xds-types/envoy/config/route/v3'
import { compileHeaderMatcher } from '../matcher/header.js'
import type { RetryPolicy } from '../route/table.js'
import type { Fields } from './fields.js'
import { compileRateLimited } from './retry-back-off.js'
import { compileHostPredicates, compileRetryPriority } from './retry-hosts.js'

/** Envoy's base interval and its relation to the longest. */
const BACKOFF_BASE_MS = 25
const BACKOFF_MAX_FACTOR = 10

export function compileRetryPolicy(fields: Fields<RetryPolicyProto> | undefined): RetryPolicy | undefined {
  if (fields === undefined) return undefined
  const backoff = fields.message('retry_back_off')
  const backoffBaseMs = backoff?.durationMs('base_interval', BACKOFF_BASE_MS) ?? BACKOFF_BASE_MS
  const backoffMaxMs =
    backoff?.durationMs('max_interval', backoffBaseMs * BACKOFF_MAX_FACTOR) ?? backoffBaseMs * BACKOFF_MAX_FACTOR
  backoff?.done()
  if (backoffMaxMs < backoffBaseMs) fields.problem('max_interval must not be under base_interval.', 'retry_back_off')
  const retriable = fields.messages('retriable_headers').map(compileHeaderMatcher)
  const request = fields.messages('retriable_request_headers').map(compileHeaderMatcher)
  const avoidPriorities = compileRetryPriority(fields.message('retry_priority'))
  const rateLimitedDelayMs = compileRateLimited(fields.message('rate_limited_retry_back_off'))
  const policy: RetryPolicy = {
    // An unknown token is ignored, as in Envoy.
    on: new Set(
      fields
        .string('retry_on')
        .split(',')
        .map((token) => token.trim())
        .filter((token) => token !== ''),
    ),
    statusCodes: new Set(fields.numbers('retriable_status_codes')),
    numRetries: fields.number('num_retries', 1),
    perTryTimeoutMs: fields.durationMs('per_try_timeout', 0),
    perTryIdleTimeoutMs: fields.durationMs('per_try_idle_timeout', 0),
    backoffBaseMs,
    backoffMaxMs,
    ...compileHostPredicates(fields.messages('retry_host_predicate')),
    ...(avoidPriorities !== undefined && { avoidPriorities }),
    ...(rateLimitedDelayMs && { rateLimitedDelayMs }),
    hostSelectionAttempts: fields.number('host_selection_retry_max_attempts', 1),
    ...(retriable.length > 0 && {
      retriableHeaders: (headers, status) =>
        retriable.some(({ name, matchesValues }) => matchesValues(name === ':status' ? [String(status)] : headers.getAll(name))),
    }),
    ...(request.length > 0 && { retriableRequest: (head) => request.some((matcher) => matcher.matches(head)) }),
  }
  fields.done()
  return policy
}
