import type { HeaderMap } from '../http/header-map.js'

/**
 * The trace that a request belongs to. The proxy makes no spans: it passes W3C `traceparent`/`tracestate` and B3 headers on as
 * they came, and only reads them, for `%TRACE_ID%`.
 */
export interface TraceContext {
  /** Lower-case hex, 16 or 32 digits. */
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

// W3C Trace Context §3.2: version 00 has exactly four parts; all-zero ids are invalid; ff is no version.
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
// openzipkin/b3-propagation, single header: {TraceId}-{SpanId}[-{SamplingState}[-{ParentSpanId}]]
const B3 = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-[0-9a-f]{16})?)?$/
const HEX_ID = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/

/** W3C first, then B3 in one header, then B3 in several; undefined when there is none that is well formed. */
export function readTraceContext(headers: HeaderMap): TraceContext | undefined {
  const w3c = TRACEPARENT.exec(headers.get('traceparent') ?? '')
  if (w3c !== null) return contextOf(w3c[1], w3c[2], (Number.parseInt(w3c[3] ?? '0', 16) & 1) === 1)
  const single = B3.exec(headers.get('b3') ?? '')
  if (single !== null) return contextOf(single[1], single[2], single[3] === '1' || single[3] === 'd')
  const traceId = headers.get('x-b3-traceid')?.toLowerCase() ?? ''
  if (!HEX_ID.test(traceId)) return undefined
  return contextOf(traceId, headers.get('x-b3-spanid'), headers.get('x-b3-sampled') === '1' || headers.get('x-b3-flags') === '1')
}

const contextOf = (traceId = '', spanId = '', sampled = false): TraceContext => ({ traceId, spanId, sampled })
