import type { HeaderMap } from '../http/header-map.js'

/** The trace that a request belongs to, and who is before us in it. Ids are lower-case hex: 16 or 32 digits, and 16. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  /** Of B3: the span before that one. */
  readonly parentId?: string
  /** Undefined: nobody has decided yet. */
  readonly sampled: boolean | undefined
  /** W3C's tracestate, as it came; else empty. */
  readonly state: string
}

// W3C Trace Context §3.2: version 00 has exactly four parts; all-zero ids are invalid; ff is no version.
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
// openzipkin/b3-propagation, single header: {TraceId}-{SpanId}[-{SamplingState}[-{ParentSpanId}]]
const B3 = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d])(?:-([0-9a-f]{16}))?)?$/
const TRACE_ID = /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/
const SPAN_ID = /^[0-9a-f]{16}$/

/** W3C first, then B3; undefined when there is none that is well formed. */
export function readTraceContext(headers: HeaderMap): TraceContext | undefined {
  return readW3c(headers) ?? readB3(headers)
}

export function readW3c(headers: HeaderMap): TraceContext | undefined {
  const parts = TRACEPARENT.exec(headers.get('traceparent') ?? '')
  if (parts === null) return undefined
  const [, traceId = '', spanId = '', flags = '0'] = parts
  const sampled = (Number.parseInt(flags, 16) & 1) === 1
  return { traceId, spanId, sampled, state: headers.getAll('tracestate').join(',') }
}

/** B3 in one header, then B3 in several. */
export function readB3(headers: HeaderMap): TraceContext | undefined {
  const single = B3.exec(headers.get('b3') ?? '')
  if (single !== null) return contextOf(single[1], single[2], single[4], single[3])
  const traceId = headers.get('x-b3-traceid')?.toLowerCase() ?? ''
  const spanId = headers.get('x-b3-spanid')?.toLowerCase() ?? ''
  if (!TRACE_ID.test(traceId) || !SPAN_ID.test(spanId)) return undefined
  return contextOf(traceId, spanId, headers.get('x-b3-parentspanid')?.toLowerCase(), b3Decision(headers))
}

/** `0`, `1` or `d` of B3 headers that may come without ids; undefined: nobody has decided. */
export function b3Decision(headers: HeaderMap): string | undefined {
  if (headers.get('x-b3-flags') === '1') return 'd'
  const single = headers.get('b3')
  return single !== undefined && /^[01d]$/.test(single) ? single : B3_SAMPLED[headers.get('x-b3-sampled')?.toLowerCase() ?? '']
}

/** Old tracers say it in words. */
const B3_SAMPLED: Readonly<Record<string, string | undefined>> = { '0': '0', '1': '1', true: '1', false: '0' }

function contextOf(traceId = '', spanId = '', parentId = '', decision?: string): TraceContext {
  const sampled = decision === undefined ? undefined : decision !== '0'
  return { traceId, spanId, sampled, state: '', ...(SPAN_ID.test(parentId) && { parentId }) }
}

export function writeW3c(headers: HeaderMap, { traceId, spanId, sampled, state }: TraceContext): void {
  headers.set('traceparent', `00-${traceId.padStart(32, '0')}-${spanId}-${sampled === true ? '01' : '00'}`)
  if (state !== '') headers.set('tracestate', state)
}

/** In several headers, as Envoy writes it. */
export function writeB3(headers: HeaderMap, { traceId, spanId, parentId, sampled }: TraceContext): void {
  headers.set('x-b3-traceid', traceId)
  headers.set('x-b3-spanid', spanId)
  if (parentId === undefined) headers.delete('x-b3-parentspanid')
  else headers.set('x-b3-parentspanid', parentId)
  headers.set('x-b3-sampled', sampled === true ? '1' : '0')
  headers.delete('b3')
}
