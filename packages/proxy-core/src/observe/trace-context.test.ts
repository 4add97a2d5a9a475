import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import { readTraceContext } from './trace-context.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('the trace of a request', () => {
  it.each<[string, [string, string][], object | undefined]>([
    ['W3C', [['traceparent', `00-${TRACE}-${SPAN}-01`]], { traceId: TRACE, spanId: SPAN, sampled: true }],
    ['W3C, not sampled', [['traceparent', `00-${TRACE}-${SPAN}-00`]], { traceId: TRACE, spanId: SPAN, sampled: false }],
    ['W3C of a later version', [['traceparent', `01-${TRACE}-${SPAN}-01-more`]], { traceId: TRACE, spanId: SPAN, sampled: true }],
    [
      'W3C before B3',
      [
        ['b3', `${SPAN}-${SPAN}-1`],
        ['traceparent', `00-${TRACE}-${SPAN}-01`],
      ],
      { traceId: TRACE, spanId: SPAN, sampled: true },
    ],
    ['B3 in one header', [['b3', `${TRACE}-${SPAN}-1-${SPAN}`]], { traceId: TRACE, spanId: SPAN, sampled: true }],
    [
      'B3 in several',
      [
        ['x-b3-traceid', TRACE.toUpperCase()],
        ['x-b3-spanid', SPAN],
        ['x-b3-sampled', '1'],
      ],
      { traceId: TRACE, spanId: SPAN, sampled: true },
    ],
    ['zeros', [['traceparent', `00-${'0'.repeat(32)}-${SPAN}-01`]], undefined],
    ['version ff', [['traceparent', `ff-${TRACE}-${SPAN}-01`]], undefined],
    ['upper case in W3C', [['traceparent', `00-${TRACE.toUpperCase()}-${SPAN}-01`]], undefined],
    ['B3 that only says no', [['b3', '0']], undefined],
    ['nothing', [], undefined],
  ])('%s', (_, headers, want) => {
    expect(readTraceContext(createHeaderMap(headers))).toEqual(want)
  })
})
