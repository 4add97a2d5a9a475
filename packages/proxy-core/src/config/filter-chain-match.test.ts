import type { FilterChainMatch } from '@heddle/xds-types/envoy/config/listener/v3'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import { facts } from '../testing.js'
import { compileMessage } from './fields.js'
import { compileChainMatch, indexChains } from './filter-chain-match.js'

function index(chains: Readonly<Record<string, FilterChainMatch>>) {
  const compiled = Object.entries(chains).map(([chain, json]) => {
    const result = compileMessage(json, chain, compileChainMatch)
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
    return { chain, match: result.value }
  })
  return indexChains(compiled)
}

const range = (address_prefix: string, prefix_len: number) => ({ address_prefix, prefix_len })

describe('filter chain match', () => {
  it.each<[string, Record<string, FilterChainMatch>, Partial<ConnectionFacts>, string | undefined]>([
    [
      'an exact name before a wildcard, the longest wildcard first',
      { a: { server_names: ['a.b.c'] }, w: { server_names: ['*.b.c'] }, c: { server_names: ['*.c'] } },
      { serverName: 'A.B.C' },
      'a',
    ],
    ['longest wildcard', { w: { server_names: ['*.b.c'] }, c: { server_names: ['*.c'] } }, { serverName: 'x.b.c' }, 'w'],
    ['the bare name is not under its wildcard', { w: { server_names: ['*.b.c'] } }, { serverName: 'b.c' }, undefined],
    [
      'destination port goes before everything',
      { p: { destination_port: 80 }, s: { server_names: ['x'] } },
      { serverName: 'x' },
      'p',
    ],
    [
      'the longest destination prefix',
      { all: { prefix_ranges: [range('0.0.0.0', 0)] }, net: { prefix_ranges: [range('10.0.0.0', 8)] } },
      {},
      'net',
    ],
    [
      'no way back: a name with other ALPN beats ALPN alone',
      { n: { server_names: ['x'], application_protocols: ['h2'] }, p: { application_protocols: ['http/1.1'] } },
      { serverName: 'x', applicationProtocols: ['http/1.1'] },
      undefined,
    ],
    [
      'transport before ALPN',
      { t: { transport_protocol: 'tls' }, a: { application_protocols: ['h2'] } },
      { transportProtocol: 'tls', applicationProtocols: ['h2'] },
      't',
    ],
    [
      "the client's first ALPN that a chain asks for",
      { one: { application_protocols: ['http/1.1'] }, two: { application_protocols: ['h2'] } },
      { applicationProtocols: ['x', 'h2', 'http/1.1'] },
      'two',
    ],
    [
      'source type before source address',
      { t: { source_type: 'EXTERNAL' }, a: { source_prefix_ranges: [range('10.0.0.9', 32)] } },
      {},
      't',
    ],
    [
      'only the very same address is loopback',
      { l: { source_type: 'SAME_IP_OR_LOOPBACK' }, e: { source_type: 'EXTERNAL' } },
      { source: { address: '127.0.0.5', port: 1 }, destination: { address: '127.0.0.1', port: 80 } },
      'e',
    ],
    [
      '127.0.0.1 is',
      { l: { source_type: 'SAME_IP_OR_LOOPBACK' }, e: { source_type: 'EXTERNAL' } },
      { source: { address: '127.0.0.1', port: 1 } },
      'l',
    ],
    ['source ports', { p: { source_ports: [40000] }, any: {} }, {}, 'p'],
    ['nothing fits', { p: { destination_port: 81 } }, {}, undefined],
  ])('%s', (_name, chains, rest, want) => {
    expect(index(chains).find(facts(rest))).toBe(want)
  })

  it('tells why the others lost', () => {
    const chains = index({
      mtls: { transport_protocol: 'tls', application_protocols: ['istio'] },
      plain: { transport_protocol: 'raw_buffer' },
    })
    expect(chains.losers(facts())).toEqual([{ chain: 'mtls', reason: 'transport protocol is raw_buffer, wanted tls' }])
  })

  it('finds chains that ask the same', () => {
    expect(index({ a: { server_names: ['x', 'y'] }, b: { server_names: ['y'] } }).duplicates).toEqual(['b'])
  })

  it.each(['a*.b', '*a.b', 'a.*'])('refuses the wildcard %s', (name) => {
    expect(compileMessage({ server_names: [name] }, '', compileChainMatch).ok).toBe(false)
  })

  it('agrees with narrowing down by one criterion after another', () => {
    const match = fc.record({
      destination_port: fc.constantFrom(0, 80),
      server_names: fc.subarray(['a.x', '*.x', '*.a.x'], { maxLength: 2 }),
      transport_protocol: fc.constantFrom('', 'tls', 'raw_buffer'),
      application_protocols: fc.subarray(['h2', 'http/1.1']),
      source_type: fc.constantFrom('ANY' as const, 'EXTERNAL' as const),
    })
    const asked = fc.record({
      port: fc.constantFrom(80, 81),
      serverName: fc.constantFrom('', 'a.x', 'b.x', 'c.a.x', 'x'),
      transportProtocol: fc.constantFrom('tls' as const, 'raw_buffer' as const),
      applicationProtocols: fc.subarray(['h2', 'http/1.1']),
    })
    fc.assert(
      fc.property(fc.array(match, { maxLength: 6 }), asked, (matches, { port, ...rest }) => {
        const connection = facts({ ...rest, destination: { address: '10.0.0.1', port } })
        const chains = Object.fromEntries(matches.map((each, i) => [String(i), each]))
        return index(chains).find(connection) === narrowed(matches, connection)
      }),
      { seed: 5, numRuns: 1500 },
    )
  }, 30_000)
})

// The documented rule in its plainest form: at each criterion only the chains that match it best stay.
function narrowed(
  matches: readonly FilterChainMatch[],
  { destination, serverName = '', transportProtocol, applicationProtocols }: ConnectionFacts,
): string | undefined {
  const suffixes = serverName
    .split('.')
    .map((_, i, labels) => `*.${labels.slice(i + 1).join('.')}`)
    .slice(0, -1)
  const criteria: [readonly string[], (match: FilterChainMatch) => readonly string[]][] = [
    [[String(destination.port)], ({ destination_port }) => (destination_port ? [String(destination_port)] : [])],
    [serverName === '' ? [] : [serverName, ...suffixes], ({ server_names }) => server_names ?? []],
    [[transportProtocol], ({ transport_protocol }) => (transport_protocol ? [transport_protocol] : [])],
    [applicationProtocols, ({ application_protocols }) => application_protocols ?? []],
    [['EXTERNAL'], ({ source_type }) => (source_type === 'ANY' ? [] : ['EXTERNAL'])],
  ]
  let left = matches.map((match, i) => ({ match, name: String(i) }))
  for (const [preferred, wants] of criteria) {
    const best = preferred.find((key) => left.some(({ match }) => wants(match).includes(key)))
    left = left.filter(({ match }) => (best === undefined ? wants(match).length === 0 : wants(match).includes(best)))
  }
  return left[0]?.name
}
