import { expect, test } from 'vitest'
import { parseRange } from './addresses.js'

test.each([
  ['10.1.2.3/8', '10.0.0.0', 8],
  ['10.1.2.3/20', '10.1.0.0', 20],
  ['192.0.2.1', '192.0.2.1', 32],
  ['0.0.0.0/0', '0.0.0.0', 0],
  ['1234:1f1:123:123:f816:3eff:feb8:2287/16', '1234::', 16],
  ['1234:1f1:123:123::1/60', '1234:1f1:123:120::', 60],
  ['2001:db8::1', '2001:db8::1', 128],
  ['::/0', '::', 0],
])('%s', (text, address, length) => {
  expect(parseRange(text)).toEqual({ address, length })
})

test.each(['', 'tea', '10.0.0.0/33', '10.0.0.0/x', '::1/129'])('%s is no range', (text) => {
  expect(parseRange(text)).toBeUndefined()
})
