import { expect, it } from 'vitest'
import { chooseCoding } from './accept-encoding.js'

const gzip = { coding: 'gzip', chooseFirst: false } as const
const br = { coding: 'br', chooseFirst: false } as const

const named = 'named'
const notValid = ['identity', 'header_not_valid'] as const

it.each([
  ['', [gzip], ...notValid],
  ['gzip', [gzip], 'gzip', named],
  ['GZIP', [gzip], ...notValid],
  ['gzip;q=abc', [gzip], ...notValid],
  ['gzip;q=-1', [gzip], ...notValid],
  ['gzip;q=0,gzip', [gzip], ...notValid],
  ['gzip;q=0', [gzip], ...notValid],
  ['gzip;q=0, *', [gzip], ...notValid],
  ['deflate', [gzip], ...notValid],
  ['gzip', [], ...notValid],
  ['deflate, gzip ; q = 0.8', [gzip], 'gzip', named],
  ['identity;q=1, gzip;q=0.5', [gzip], 'identity', 'header_identity'],
  ['gzip;q=0.5, br;q=0.8', [gzip, br], 'br', named],
  ['gzip, br', [br, gzip], 'gzip', named],
  ['gzip, br', [{ ...br, chooseFirst: true }, gzip], 'br', named],
  ['gzip, br', [gzip, { ...br, chooseFirst: true }], 'br', named],
  ['identity, br, gzip', [gzip, { ...br, chooseFirst: true }], 'br', named],
  ['gzip, br;q=0.9', [gzip, { ...br, chooseFirst: true }], 'gzip', named],
  ['*', [br, gzip], 'br', 'header_wildcard'],
  ['br;q=0, *', [br, gzip], 'gzip', 'header_wildcard'],
  ['gzip;q=0.5, *', [gzip, br], 'gzip', 'header_wildcard'],
  ['*;q=0', [gzip], ...notValid],
] as const)('%j of %j: %s, %s', (header, offers, coding, reason) => {
  expect(chooseCoding(header, offers)).toEqual({ coding, reason })
})
