import type { Random } from '@heddle/runtime'
import type { HeaderMap } from '../../http/header-map.js'

/** HttpConnectionManager.Tracing, and Tracing of a route: shares from 0 to 1. */
export interface Sampling {
  /** Of requests with x-client-trace-id. */
  readonly client: number
  /** Of all that nobody asks for. */
  readonly random: number
  /** Of those that the other two, or x-envoy-force-trace, have chosen. */
  readonly overall: number
}

export interface TracingDecision {
  readonly traced: boolean
  /** With the decision in it; undefined: there was none, or it is no UUID. */
  readonly requestId: string | undefined
}

// Envoy keeps why a request is traced in the version digit of its id, so that every proxy on the way decides alike.
const REASON_AT = 14
const NOT_TRACED = '4'
const REASONS = { sampling: '9', forced: 'a', client: 'b' } as const
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Envoy's mutateTracingRequestHeader. Without a UUID for an id nothing is traced. */
export function decideTracing(
  headers: HeaderMap,
  requestId: string | undefined,
  sampling: Sampling,
  random: Random,
): TracingDecision {
  if (requestId === undefined || !UUID.test(requestId)) return { traced: false, requestId: undefined }
  // The same for every proxy that sees the id.
  const share = (Number.parseInt(requestId.slice(0, 8), 16) % 10_000) / 10_000
  const reason = told(requestId) ?? chosen(headers, sampling, share, random)
  const traced = reason !== NOT_TRACED && share < sampling.overall
  const digit = traced ? reason : NOT_TRACED
  return { traced, requestId: requestId.slice(0, REASON_AT) + digit + requestId.slice(REASON_AT + 1) }
}

/** What a proxy before us has decided. */
function told(requestId: string): string | undefined {
  const digit = requestId[REASON_AT]?.toLowerCase() ?? ''
  return Object.values<string>(REASONS).includes(digit) ? digit : undefined
}

function chosen(headers: HeaderMap, sampling: Sampling, share: number, random: Random): string {
  if (headers.has('x-client-trace-id') && random.next() < sampling.client) return REASONS.client
  if (headers.has('x-envoy-force-trace')) return REASONS.forced
  return share < sampling.random ? REASONS.sampling : NOT_TRACED
}
