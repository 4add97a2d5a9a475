import { expect, it } from 'vitest'
import { chooseCoding } from './accept-encoding.js'

const gzip = { coding: 'gzip', chooseFirst: false } as const
const br = { coding: 'br', chooseFirst: false } as const

it.each([
  [undefined, [gzip], undefined],
  ['', [gzip], undefined],
  ['gzip', [gzip], 'gzip'],
  ['GZIP', [gzip], undefined],
  ['gzip;q=abc', [gzip], undefined],
  ['gzip;q=0,gzip', [gzip], undefined],
  ['gzip;q=0', [gzip], undefined],
  ['deflate', [gzip], undefined],
  ['identity;q=1, gzip;q=0.5', [gzip], 'identity'],
  ['gzip;q=0.5, br;q=0.8', [gzip, br], 'br'],
  ['gzip, br', [br, gzip], 'gzip'],
  ['gzip, br', [{ ...br, chooseFirst: true }, gzip], 'br'],
  ['*', [br, gzip], 'br'],
  ['br;q=0, *', [br, gzip], 'gzip'],
  ['*;q=0', [gzip], undefined],
] as const)('%j of %j: %j', (header, offers, choice) => {
  expect(chooseCoding(header, offers)).toBe(choice)
})
