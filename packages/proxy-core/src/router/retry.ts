import type { HeaderMap } from '../http/header-map.js'
import type { HttpRequest } from '../http/message.js'
import { asciiLower } from '../matcher/ascii.js'
import type { ForwardAction, RetryPolicy } from '../route/table.js'
import type { AttemptFailure } from '../upstream/pool.js'
import { isOverflow } from './failure.js'

/** gRPC statuses that have a retry_on token of their own. */
const GRPC_TOKENS: ReadonlyMap<string, string> = new Map([
  ['1', 'cancelled'],
  ['4', 'deadline-exceeded'],
  ['13', 'internal'],
  ['8', 'resource-exhausted'],
  ['14', 'unavailable'],
])

const NO_POLICY: RetryPolicy = {
  on: new Set(),
  statusCodes: new Set(),
  numRetries: 1,
  perTryTimeoutMs: 0,
  backoffBaseMs: 25,
  backoffMaxMs: 250,
  avoidPreviousHosts: false,
  hostSelectionAttempts: 1,
}

const STEERING = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-retriable-status-codes',
  'x-envoy-max-retries',
  'x-envoy-retriable-header-names',
] as const
const STEERING_NAMES: ReadonlySet<string> = new Set(STEERING)

/** What the retries of a request go by; undefined: there are none. */
export function retryPolicyOf(action: ForwardAction, request: HttpRequest, internal: boolean): RetryPolicy | undefined {
  const policy = internal ? takeRetryPolicy(action.retry, request.headers) : action.retry
  return policy?.retriableRequest?.(request) === false ? undefined : policy
}

/** The route's policy with what an internal client adds by x-envoy-retry-on and its kin, which are taken off. */
export function takeRetryPolicy(policy: RetryPolicy | undefined, headers: HeaderMap): RetryPolicy | undefined {
  if (!steers(headers)) return policy
  const [on, grpcOn, statusCodes, most, headerNames] = STEERING.map((name) => headers.get(name))
  for (const name of STEERING) headers.delete(name)
  const tokens = [...(policy?.on ?? []), ...listOf(on), ...listOf(grpcOn)]
  if (tokens.length === 0) return undefined
  const base = policy ?? NO_POLICY
  return {
    ...base,
    on: new Set(tokens),
    statusCodes: new Set([
      ...base.statusCodes,
      ...listOf(statusCodes)
        .filter((code) => /^\d{3}$/.test(code))
        .map(Number),
    ]),
    ...withHeaderNames(base, listOf(headerNames)),
    numRetries: most !== undefined && /^\d{1,4}$/.test(most) ? Number(most) : base.numRetries,
  }
}

function steers(headers: HeaderMap): boolean {
  for (let i = 0; i < headers.size; i++) {
    const name = headers.nameAt(i)
    if (name.startsWith('x-envoy-') && STEERING_NAMES.has(name)) return true
  }
  return false
}

/** A response with one of the names is retried too. */
function withHeaderNames({ retriableHeaders }: RetryPolicy, names: readonly string[]): Pick<RetryPolicy, 'retriableHeaders'> {
  if (names.length === 0) return {}
  const lower = names.map(asciiLower)
  return {
    retriableHeaders: (headers, status) =>
      lower.some((name) => name === ':status' || headers.has(name)) || retriableHeaders?.(headers, status) === true,
  }
}

function listOf(value: string | undefined): string[] {
  return value === undefined
    ? []
    : value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
}

/** Whether a response may be tried again: Envoy's retry_on tokens. grpc-status counts in the headers only, never in trailers. */
export function wantsRetryOfResponse(policy: RetryPolicy, status: number, headers: HeaderMap): boolean {
  const { on } = policy
  if (headers.has('x-envoy-ratelimited') && !on.has('envoy-ratelimited')) return false
  if (on.has('envoy-ratelimited') && headers.has('x-envoy-ratelimited')) return true
  if (status >= 500) {
    if (on.has('5xx')) return true
    if (on.has('gateway-error') && status >= 502 && status <= 504) return true
  }
  if (on.has('retriable-4xx') && status === 409) return true
  if (on.has('retriable-status-codes') && policy.statusCodes.has(status)) return true
  if (on.has('retriable-headers') && policy.retriableHeaders?.(headers, status) === true) return true
  const grpc = headers.get('grpc-status')
  const token = grpc === undefined ? undefined : GRPC_TOKENS.get(grpc)
  return token !== undefined && on.has(token)
}

/** Whether an attempt that got no response may be tried again. `sent`: the request had gone out, in part at least. */
export function wantsRetryOfFailure(policy: RetryPolicy, reason: AttemptFailure | 'per_try_timeout', sent: boolean): boolean {
  const { on } = policy
  if (isOverflow(reason)) return false
  if (on.has('5xx') || on.has('gateway-error') || on.has('reset')) return true
  if (on.has('connect-failure') && (reason === 'connect_failure' || reason === 'connect_timeout')) return true
  if (on.has('reset-before-request') && !sent) return true
  return on.has('refused-stream') && reason === 'remote_refused'
}

/** Milliseconds before retry number `retry`, 1 the first: full jitter over a window that doubles (Envoy's JitteredExponentialBackOff). */
export function retryDelay(policy: RetryPolicy, retry: number, random: number): number {
  const window = Math.min(policy.backoffMaxMs, policy.backoffBaseMs * (2 ** retry - 1))
  return Math.floor(random * window)
}
