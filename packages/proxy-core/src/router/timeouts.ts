import type { HeaderMap } from '../http/header-map.js'
import { isGrpc } from '../http/local-reply.js'
import type { ForwardAction, GrpcTimeoutLimits } from '../route/table.js'

export interface RequestTimeouts {
  /** For the whole answer, retries included; 0: none. */
  readonly globalMs: number
  /** For one attempt; 0: none. */
  readonly perTryMs: number
  /** In place of the cluster's max_stream_duration. */
  readonly maxStreamDurationMs?: number | undefined
  /** An internal client wants 204 for its timeout: x-envoy-upstream-rq-timeout-alt-response. */
  readonly altResponse: boolean
}

/**
 * Envoy's FilterUtility::finalTimeout: the route's, a grpc-timeout, and of internal clients the x-envoy-upstream-rq-timeout
 * headers, which are taken off. Tells the upstream what it may expect.
 */
export function takeTimeouts(
  action: ForwardAction,
  headers: HeaderMap,
  internal: boolean,
  tellUpstream: boolean,
): RequestTimeouts {
  let globalMs = action.timeoutMs
  let perTryMs = action.retry?.perTryTimeoutMs ?? 0
  let altResponse = false
  const streamDuration = takeNumber(headers, 'x-envoy-upstream-stream-duration-ms')
  const grpc = isGrpc(headers) ? routeGrpcTimeout(headers, action.grpcTimeout) : undefined
  if (grpc !== undefined) globalMs = grpc
  if (internal) {
    altResponse = headers.has('x-envoy-upstream-rq-timeout-alt-response')
    headers.deleteWhere((name) => STEERING.has(name))
    globalMs = takeNumber(headers, 'x-envoy-upstream-rq-timeout-ms') ?? globalMs
    perTryMs = takeNumber(headers, 'x-envoy-upstream-rq-per-try-timeout-ms') ?? perTryMs
  }
  // A try that may last longer than the whole is no limit.
  if (globalMs > 0 && perTryMs >= globalMs) perTryMs = 0
  const expected = perTryMs > 0 ? perTryMs : globalMs
  if (tellUpstream && expected > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(expected))
  if (grpc !== undefined && globalMs > 0) headers.set('grpc-timeout', `${globalMs}m`)
  return { globalMs, perTryMs, maxStreamDurationMs: internal ? streamDuration : undefined, altResponse }
}

/** Of another attempt, `spentMs` after the first: what is left of the whole, and never 0, which would be for ever. */
export function tellTimeLeft(headers: HeaderMap, { globalMs, perTryMs }: RequestTimeouts, spentMs: number): void {
  if (globalMs === 0 || !headers.has('x-envoy-expected-rq-timeout-ms')) return
  const left = Math.max(1, Math.ceil(globalMs - spentMs))
  headers.set('x-envoy-expected-rq-timeout-ms', String(perTryMs > 0 ? Math.min(perTryMs, left) : left))
}

/** Of internal clients, beside the timeouts themselves. Neither hedging nor other names for statistics are there. */
const STEERING: ReadonlySet<string> = new Set([
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-hedge-on-per-try-timeout',
])

/** max_grpc_timeout and its offset: a call that says nothing sensible may take as long as the longest; 0 is for ever. */
function routeGrpcTimeout(headers: HeaderMap, limits: GrpcTimeoutLimits | undefined): number | undefined {
  if (limits === undefined) return undefined
  const { maxMs, offsetMs } = limits
  const asked = parseGrpcTimeout(headers.get('grpc-timeout')) ?? 0
  const left = asked > offsetMs ? asked - offsetMs : asked
  return maxMs > 0 && (left === 0 || left > maxMs) ? maxMs : left
}

/** What a grpc-timeout header asks for, within limits; undefined: there are none, or no such header. */
export function limitedGrpcTimeout(headers: HeaderMap, limits: GrpcTimeoutLimits | undefined): number | undefined {
  const grpc = limits === undefined ? undefined : parseGrpcTimeout(headers.get('grpc-timeout'))
  if (grpc === undefined || limits === undefined) return undefined
  const { maxMs, offsetMs } = limits
  return Math.max(0, (maxMs > 0 ? Math.min(grpc, maxMs) : grpc) - offsetMs)
}

function takeNumber(headers: HeaderMap, name: string): number | undefined {
  const text = headers.get(name)
  if (text === undefined) return undefined
  headers.delete(name)
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 }

/** gRPC over HTTP/2, `Timeout`: eight digits at most and a unit; milliseconds, rounded up. */
export function parseGrpcTimeout(text: string | undefined): number | undefined {
  const parts = text === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(text)
  return parts === null ? undefined : Math.ceil(Number(parts[1]) * UNITS[parts[2]!]!)
}
