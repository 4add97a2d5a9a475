import { isHttp, isTcp, type MeshService, type PortProtocol, type ServicePort } from '@heddle/config-model'
import type { FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import { parseRange } from '../addresses.js'
import type { MemoArgument } from '../memo.js'
import { listenerProtocol } from '../protocol.js'
import type { EgressListener } from '../view.js'
import { PLAIN_HTTP_ALPN } from './filter-chain-match.js'

/** A chain of an outbound listener with what it matches. A chain that matches everything becomes the default chain. */
export interface OutboundChain {
  readonly alpn?: readonly string[]
  readonly transport?: 'raw_buffer'
  readonly sni?: readonly string[]
  readonly subnets?: readonly string[]
  /** The route configuration that it asks for. */
  readonly routes?: string
  /** What `chain` is made from: it tells the chain from others of its match. */
  readonly from: readonly MemoArgument[]
  /** Made when the listener is: what is left out costs nothing. */
  chain(): FilterChain
}

/** A listener while services are laid onto it: one address and port may serve several. */
export interface ListenerEntry {
  readonly bind: string
  /** `bind` as it is written: what the user has not bound stands in the proxy's family. */
  readonly address: string
  /** Other addresses of its own: of the other family. */
  readonly alsoAt: readonly string[]
  readonly port: number
  readonly bindToPort: boolean
  /** `Unsupported`: HTTP and TCP side by side, told apart by looking. */
  protocol: PortProtocol
  readonly chains: OutboundChain[]
  /** What its chains match: see {@link matchKey}. */
  readonly matches: Set<string>
  /** Of an egress listener with a port: later services do not come in. */
  locked: boolean
  /** Everything that came to the address, also what was left out. */
  readonly servings: Serving[]
}

/** A service's port on an egress listener. */
export interface Serving {
  readonly egress: EgressListener
  readonly service: MeshService
  readonly port: ServicePort
}

/** What becomes of a service on an address that is taken. */
export type Conflict = 'none' | 'merge' | 'replace' | 'ignore'

/** Istio's rules: HTTP joins HTTP by RDS, TCP merges its chains, HTTP and TCP together are told apart by looking. */
export function conflictOf(entry: ListenerEntry | undefined, incoming: PortProtocol): Conflict {
  if (entry === undefined) return 'none'
  if (entry.locked) return 'ignore'
  const kind = conflictKind(entry.protocol, incoming)
  // Servers that speak first must not be looked at.
  return kind !== 'ignore' && (speaksFirst(entry.protocol) || speaksFirst(incoming)) ? 'ignore' : kind
}

function conflictKind(existing: PortProtocol, incoming: PortProtocol): Conflict {
  switch (listenerProtocol(incoming)) {
    case 'http':
      return isTcp(existing) ? 'merge' : 'ignore'
    case 'tcp':
      return 'merge'
    case 'auto':
      return isHttp(existing) ? 'replace' : isTcp(existing) ? 'merge' : 'ignore'
    default:
      return 'ignore'
  }
}

function speaksFirst(protocol: PortProtocol): boolean {
  return protocol === 'MYSQL' || protocol === 'MONGO'
}

/** Adds the chains whose match is still free. After TCP met anything but TCP the listener looks. */
export function mergeChains(entry: ListenerEntry, chains: readonly OutboundChain[], incoming: PortProtocol): void {
  const both = isTcp(entry.protocol) && isTcp(incoming)
  if (!both) entry.protocol = 'Unsupported'
  for (const chain of chains) {
    const key = matchKey(chain)
    if (entry.matches.has(key)) continue
    entry.matches.add(key)
    entry.chains.push(chain)
  }
}

export function matchKey(chain: OutboundChain): string {
  const { alpn, transport, sni = [], subnets = [] } = chain
  // Nearly all chains are one of these.
  if (sni.length === 0 && subnets.length === 0) {
    if (alpn === undefined && transport === undefined) return MATCH_ALL
    if (alpn === PLAIN_HTTP_ALPN && transport === 'raw_buffer') return MATCH_HTTP
  }
  let key = keys.get(chain)
  if (key === undefined) keys.set(chain, (key = keyOf(chain)))
  return key
}

// Each is compared with all others of its listener.
const keys = new WeakMap<OutboundChain, string>()

function keyOf({ alpn, transport, sni, subnets }: OutboundChain): string {
  return JSON.stringify([alpn ?? [], transport ?? '', [...(sni ?? [])].sort(), (subnets ?? []).map(rangeKey).sort()])
}

/** Ranges are equal whatever stands in the bits that do not count. */
function rangeKey(subnet: string): string {
  const range = parseRange(subnet)
  return range === undefined ? subnet : `${range.address}/${range.length}`
}

export function matchesEverything(chain: OutboundChain): boolean {
  return matchKey(chain) === MATCH_ALL
}

const MATCH_ALL = '[[],"",[],[]]'
const MATCH_HTTP = JSON.stringify([PLAIN_HTTP_ALPN, 'raw_buffer', [], []])
