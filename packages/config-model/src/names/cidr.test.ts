import { expect, it } from 'vitest'
import { contains, parseCidr } from './cidr.js'

it.each([
  ['10.1.0.0/16', '10.1.2.3', true],
  ['10.1.0.0/16', '10.2.0.1', false],
  ['10.1.128.0/17', '10.1.127.255', false],
  ['10.1.128.0/17', '10.1.200.1', true],
  ['0.0.0.0/0', '255.1.1.1', true],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.4', false],
  ['fd00::/8', 'fd12::1', true],
  ['fd00::/8', 'fe12::1', false],
  ['2001:db8::/33', '2001:db8:7fff::1', true],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['::ffff:1.2.0.0/112', '::ffff:1.2.3.4', true],
  ['10.0.0.0/8', '::1', false],
  ['10.0.0.0/8', 'a.example', false],
])('%s contains %s: %s', (range, address, wanted) => {
  expect(contains(parseCidr(range)!, address)).toBe(wanted)
})

it.each(['10.0.0.0/33', '::/129', '10.0.0/8', 'x', '10.0.0.0/', '10.0.0.0/-1'])('%s is none', (text) => {
  expect(parseCidr(text)).toBeUndefined()
})
