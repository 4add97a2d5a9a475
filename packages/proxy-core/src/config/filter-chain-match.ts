import type { FilterChainMatch } from '@heddle/xds-types/envoy/config/listener/v3'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import { asciiLower } from '../matcher/ascii.js'
import { type Cidr, compileCidr } from '../matcher/cidr.js'
import { parseIp } from '../matcher/ip.js'
import type { Fields } from './fields.js'

/** FilterChainMatch, compiled. An empty list or 0 does not ask. */
export interface ChainMatch {
  readonly destinationPort: number
  readonly destinations: readonly Cidr[]
  readonly serverNames: readonly string[]
  readonly transportProtocol: string
  readonly applicationProtocols: readonly string[]
  readonly directSources: readonly Cidr[]
  readonly sourceType: 'ANY' | 'SAME_IP_OR_LOOPBACK' | 'EXTERNAL'
  readonly sources: readonly Cidr[]
  readonly sourcePorts: readonly number[]
}

export const MATCHES_ALL: ChainMatch = {
  destinationPort: 0,
  destinations: [],
  serverNames: [],
  transportProtocol: '',
  applicationProtocols: [],
  directSources: [],
  sourceType: 'ANY',
  sources: [],
  sourcePorts: [],
}

export function compileChainMatch(fields: Fields<FilterChainMatch> | undefined): ChainMatch {
  if (fields === undefined) return MATCHES_ALL
  const match: ChainMatch = {
    destinationPort: fields.number('destination_port'),
    destinations: fields.messages('prefix_ranges').flatMap((each) => compileCidr(each) ?? []),
    serverNames: fields.strings('server_names').map(asciiLower),
    transportProtocol: fields.string('transport_protocol'),
    applicationProtocols: fields.strings('application_protocols'),
    directSources: fields.messages('direct_source_prefix_ranges').flatMap((each) => compileCidr(each) ?? []),
    sourceType: fields.choice('source_type', ['ANY', 'SAME_IP_OR_LOOPBACK', 'EXTERNAL'], 'ANY'),
    sources: fields.messages('source_prefix_ranges').flatMap((each) => compileCidr(each) ?? []),
    sourcePorts: fields.numbers('source_ports'),
  }
  fields.done()
  const bad = match.serverNames.find((name) => name.includes('*') && !/^\*\.[^*]+$/.test(name))
  if (bad !== undefined)
    fields.problem(
      `${JSON.stringify(bad)}: a wildcard stands only for whole leading labels, as in "*.example.com".`,
      'server_names',
    )
  return match
}

/** One criterion: what a chain asks, and which of the asked values a connection prefers. */
interface Criterion {
  readonly name: string
  /** The keys of a chain; `''` does not ask. */
  keys(match: ChainMatch): readonly string[]
  /** Best key first. `blocks` are those that chains at this place ask for, longest prefix first. */
  candidates(facts: ConnectionFacts, blocks: readonly Cidr[]): Iterable<string>
  /** The address blocks of a chain, for criteria of addresses. */
  blocks?(match: ChainMatch): readonly Cidr[]
  /** For people. */
  actual(facts: ConnectionFacts): string
}

const cidrKeys = (cidrs: readonly Cidr[]): readonly string[] => (cidrs.length === 0 ? [''] : cidrs.map(({ text }) => text))
const orAny = (keys: readonly (string | number)[]): readonly string[] => (keys.length === 0 ? [''] : keys.map(String))

/** In Envoy's order of precedence. There is no way back: a chain that wins one criterion is judged by its own next one. */
const CRITERIA: readonly Criterion[] = [
  {
    name: 'destination port',
    keys: ({ destinationPort }) => [destinationPort === 0 ? '' : String(destinationPort)],
    candidates: ({ destination }) => [String(destination.port), ''],
    actual: ({ destination }) => String(destination.port),
  },
  {
    name: 'destination address',
    keys: ({ destinations }) => cidrKeys(destinations),
    blocks: ({ destinations }) => destinations,
    candidates: ({ destination }, blocks) => byPrefix(destination.address, blocks),
    actual: ({ destination }) => destination.address,
  },
  {
    name: 'server name',
    keys: ({ serverNames }) => orAny(serverNames),
    candidates: ({ serverName }) => serverNameKeys(asciiLower(serverName ?? '')),
    actual: ({ serverName }) => serverName ?? 'absent',
  },
  {
    name: 'transport protocol',
    keys: ({ transportProtocol }) => [transportProtocol],
    candidates: ({ transportProtocol }) => [transportProtocol, ''],
    actual: ({ transportProtocol }) => transportProtocol,
  },
  {
    name: 'application protocol',
    keys: ({ applicationProtocols }) => orAny(applicationProtocols),
    candidates: ({ applicationProtocols }) => [...applicationProtocols, ''],
    actual: ({ applicationProtocols }) => applicationProtocols.join(', ') || 'none',
  },
  {
    name: 'direct source address',
    keys: ({ directSources }) => cidrKeys(directSources),
    blocks: ({ directSources }) => directSources,
    candidates: ({ directSource }, blocks) => byPrefix(directSource.address, blocks),
    actual: ({ directSource }) => directSource.address,
  },
  {
    name: 'source type',
    keys: ({ sourceType }) => [sourceType === 'ANY' ? '' : sourceType],
    candidates: (facts) => [sourceTypeOf(facts), ''],
    actual: sourceTypeOf,
  },
  {
    name: 'source address',
    keys: ({ sources }) => cidrKeys(sources),
    blocks: ({ sources }) => sources,
    candidates: ({ source }, blocks) => byPrefix(source.address, blocks),
    actual: ({ source }) => source.address,
  },
  {
    name: 'source port',
    keys: ({ sourcePorts }) => orAny(sourcePorts),
    candidates: ({ source }) => [String(source.port), ''],
    actual: ({ source }) => String(source.port),
  },
]

/** Envoy says loopback only for the very same address or 127.0.0.1 and ::1. */
function sourceTypeOf({ source, destination }: ConnectionFacts): 'SAME_IP_OR_LOOPBACK' | 'EXTERNAL' {
  const local = source.address === '127.0.0.1' || source.address === '::1' || source.address === destination.address
  return local ? 'SAME_IP_OR_LOOPBACK' : 'EXTERNAL'
}

function serverNameKeys(name: string): readonly string[] {
  if (name === '') return ['']
  const keys = [name]
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) keys.push(`*${name.slice(dot)}`)
  keys.push('')
  return keys
}

function* byPrefix(address: string, blocks: readonly Cidr[]): Iterable<string> {
  const ip = blocks.length === 0 ? undefined : parseIp(address)
  if (ip !== undefined) for (const cidr of blocks) if (cidr.contains(ip)) yield cidr.text
  yield ''
}

interface Node<T> {
  readonly children: Map<string, Node<T>>
  blocks: readonly Cidr[]
  chain?: T
}

/** Why a chain was not taken. */
export interface ChainLoss<T> {
  readonly chain: T
  readonly reason: string
}

export interface ChainIndex<T> {
  find(facts: ConnectionFacts): T | undefined
  /** The other chains with the first criterion in which each fell behind. */
  losers(facts: ConnectionFacts): readonly ChainLoss<T>[]
  /** Chains that ask the very same as an earlier one: Envoy refuses such a listener. */
  readonly duplicates: readonly T[]
}

export function indexChains<T>(chains: readonly { readonly match: ChainMatch; readonly chain: T }[]): ChainIndex<T> {
  const root: Node<T> = { children: new Map(), blocks: [] }
  const duplicates: T[] = []
  for (const { match, chain } of chains) {
    for (const leaf of leaves(root, match, 0)) {
      if (leaf.chain !== undefined) duplicates.push(chain)
      else leaf.chain = chain
    }
  }
  return {
    duplicates,
    find: (facts) => walk(root, facts).at(-1)?.chain,
    losers(facts) {
      const taken = path(root, facts)
      const winner = walk(root, facts).at(-1)?.chain
      return chains
        .filter(({ chain }) => chain !== winner)
        .map(({ match, chain }) => ({ chain, reason: lossReason(match, taken, facts) }))
    },
  }
}

function leaves<T>(node: Node<T>, match: ChainMatch, depth: number): readonly Node<T>[] {
  const criterion = CRITERIA[depth]
  if (criterion === undefined) return [node]
  if (criterion.blocks !== undefined)
    node.blocks = [...node.blocks, ...criterion.blocks(match)].sort((a, b) => b.length - a.length)
  return criterion.keys(match).flatMap((key) => {
    let child = node.children.get(key)
    if (child === undefined) node.children.set(key, (child = { children: new Map(), blocks: [] }))
    return leaves(child, match, depth + 1)
  })
}

/** The nodes from below the root to the leaf; empty when some criterion finds nothing. */
function walk<T>(root: Node<T>, facts: ConnectionFacts): readonly Node<T>[] {
  const nodes: Node<T>[] = []
  let node = root
  for (const criterion of CRITERIA) {
    const key = firstKnown(criterion, node, facts)
    if (key === undefined) return []
    node = node.children.get(key)!
    nodes.push(node)
  }
  return nodes
}

function firstKnown<T>(criterion: Criterion, node: Node<T>, facts: ConnectionFacts): string | undefined {
  for (const key of criterion.candidates(facts, node.blocks)) if (node.children.has(key)) return key
  return undefined
}

/** The keys taken, as far as the walk goes. */
function path<T>(root: Node<T>, facts: ConnectionFacts): readonly string[] {
  const keys: string[] = []
  let node = root
  for (const criterion of CRITERIA) {
    const key = firstKnown(criterion, node, facts)
    if (key === undefined) break
    keys.push(key)
    node = node.children.get(key)!
  }
  return keys
}

function lossReason(match: ChainMatch, taken: readonly string[], facts: ConnectionFacts): string {
  for (const [i, criterion] of CRITERIA.entries()) {
    const keys = criterion.keys(match)
    const key = taken[i]
    if (key !== undefined && keys.includes(key)) continue
    const wanted = keys[0] === '' ? 'anything' : keys.join(' or ')
    const why = key === undefined || key === '' || !keys.includes('') ? '' : ', and another chain asks for it by name'
    return `${criterion.name} is ${criterion.actual(facts)}, wanted ${wanted}${why}`
  }
  return 'an earlier chain asks the same'
}
