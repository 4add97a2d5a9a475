import { expect, it } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import type { ForwardAction } from '../route/table.js'
import { takeTimeouts, tellTimeLeft } from './timeouts.js'

const NAME = 'x-envoy-expected-rq-timeout-ms'

it.each([
  [1000, 0, 300, '700'],
  [1000, 0, 1500, '1'],
  [1000, 400, 300, '400'],
  [1000, 400, 800, '200'],
  [0, 400, 800, 'first'],
])('of %i ms and %i ms a try, after %i ms another attempt is told %s', (globalMs, perTryMs, spent, told) => {
  const headers = createHeaderMap([[NAME, 'first']])
  tellTimeLeft(headers, { globalMs, perTryMs, altResponse: false }, spent)
  expect(headers.get(NAME)).toBe(told)
})

it('says nothing where the first attempt was told nothing', () => {
  const headers = createHeaderMap()
  tellTimeLeft(headers, { globalMs: 1000, perTryMs: 0, altResponse: false }, 1)
  expect(headers.has(NAME)).toBe(false)
})

it.each([
  ['80', true, 80],
  ['0', true, 0],
  ['x', true, undefined],
  ['80', false, undefined],
])('x-envoy-upstream-stream-duration-ms: %s of an internal client (%s) is %s, and taken off', (value, internal, want) => {
  const headers = createHeaderMap([['x-envoy-upstream-stream-duration-ms', value]])
  const { maxStreamDurationMs } = takeTimeouts({ timeoutMs: 0 } as ForwardAction, headers, internal, false)
  expect([maxStreamDurationMs, headers.size]).toEqual([want, 0])
})
