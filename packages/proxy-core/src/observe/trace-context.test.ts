import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import { readB3, readTraceContext, readW3c, writeB3, writeW3c } from './trace-context.js'

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
    const read = readTraceContext(createHeaderMap(headers))
    if (want === undefined) expect(read).toBeUndefined()
    else expect(read).toMatchObject(want)
  })
})

describe('what goes upstream', () => {
  it('W3C keeps the state of others', () => {
    const headers = createHeaderMap([['tracestate', 'a=1']])
    const context = { traceId: TRACE, spanId: SPAN, sampled: true, state: 'a=1,b=2' }
    writeW3c(headers, context)
    expect(headers.get('traceparent')).toBe(`00-${TRACE}-${SPAN}-01`)
    expect(readW3c(headers)).toEqual(context)
  })

  it('a short trace id of Zipkin fills up in W3C', () => {
    const headers = createHeaderMap()
    writeW3c(headers, { traceId: SPAN, spanId: SPAN, sampled: false, state: '' })
    expect(headers.get('traceparent')).toBe(`00-${'0'.repeat(16)}${SPAN}-${SPAN}-00`)
  })

  it('B3 in several headers replaces the one', () => {
    const headers = createHeaderMap([['b3', `${TRACE}-${SPAN}-0`]])
    const context = { traceId: TRACE, spanId: SPAN, parentId: SPAN.replace('0', '1'), sampled: true, state: '' }
    writeB3(headers, context)
    expect(headers.has('b3')).toBe(false)
    expect(readB3(headers)).toEqual(context)
  })

  it('a first span has no parent, whatever came', () => {
    const headers = createHeaderMap([['x-b3-parentspanid', SPAN]])
    writeB3(headers, { traceId: TRACE, spanId: SPAN, sampled: false, state: '' })
    expect(headers.has('x-b3-parentspanid')).toBe(false)
    expect(headers.get('x-b3-sampled')).toBe('0')
  })
})
