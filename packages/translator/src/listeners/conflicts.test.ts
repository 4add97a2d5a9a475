import type { PortProtocol } from '@heddle/config-model'
import type { FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import { describe, expect, test } from 'vitest'
import { conflictOf, type ListenerEntry, matchesEverything, matchKey, mergeChains } from './conflicts.js'

const named = (name: string) => (): FilterChain => ({ name })

const entry = (protocol: PortProtocol, locked = false): ListenerEntry => ({
  bind: '0.0.0.0',
  address: '0.0.0.0',
  alsoAt: [],
  port: 80,
  bindToPort: false,
  protocol,
  chains: [{ from: [], chain: named('first') }],
  locked,
  matches: new Set([matchKey({ from: [], chain: named('first') })]),
  servings: [],
})

describe('a second service on an address', () => {
  const cases: [PortProtocol, PortProtocol, string][] = [
    ['HTTP', 'HTTP', 'ignore'],
    ['TCP', 'HTTP', 'merge'],
    ['HTTP', 'TCP', 'merge'],
    ['TCP', 'TCP', 'merge'],
    ['Unsupported', 'HTTP', 'ignore'],
    ['HTTP', 'Unsupported', 'replace'],
    ['TCP', 'Unsupported', 'merge'],
    ['MYSQL', 'HTTP', 'ignore'],
    ['HTTP', 'MONGO', 'ignore'],
  ]
  test.each(cases)('%s, then %s: %s', (existing, incoming, want) => {
    expect(conflictOf(entry(existing), incoming)).toBe(want)
  })
  test('the first has the place to itself', () => {
    expect(conflictOf(undefined, 'HTTP')).toBe('none')
  })
  test('an egress listener of the user lets no more in', () => {
    expect(conflictOf(entry('TCP', true), 'TCP')).toBe('ignore')
  })
})

test('merging keeps the first chain of each match and looks at what is mixed', () => {
  const mixed = entry('TCP')
  mergeChains(
    mixed,
    [
      { from: [], chain: named('again') },
      { alpn: ['http/1.1'], transport: 'raw_buffer', from: [], chain: named('http') },
    ],
    'HTTP',
  )
  expect([mixed.protocol, mixed.chains.map((c) => c.chain().name)]).toEqual(['Unsupported', ['first', 'http']])
  const tcp = entry('TCP')
  mergeChains(tcp, [{ sni: ['a'], from: [], chain: named('a') }], 'TCP')
  expect([tcp.protocol, tcp.chains.map(matchesEverything)]).toEqual(['TCP', [true, false]])
})
