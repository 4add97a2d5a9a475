import type { ProxyProtocolFilter } from '../../config/proxy-protocol.js'
import type { Connection } from '../../net/connection.js'
import { peek } from '../../net/peek.js'
import type { ProxiedConnection, Tlv } from '../../net/proxy-protocol/header.js'
import { type ProxyHeaderOutcome, readProxyHeader } from '../../net/proxy-protocol/read.js'
import type { ProxyProtocolStats } from '../../observe/proxy-protocol-stats.js'

/** A header that is being waited for. `read`: false when the connection must not go on. */
export interface ProxyHeaderReading {
  readonly read: Promise<boolean>
  giveUp(): void
}

/** envoy.filters.listener.proxy_protocol: takes the header off a connection and gives it the addresses that the header tells. */
export function readProxyProtocol(
  connection: Connection,
  filter: ProxyProtocolFilter,
  stats: ProxyProtocolStats = UNCOUNTED,
): ProxyHeaderReading {
  const looking = peek(connection, (bytes) => decide(bytes, filter), lengthOf)
  return { giveUp: looking.giveUp, read: looking.found.then((outcome) => apply(connection, filter, stats, outcome)) }
}

const UNCOUNTED: ProxyProtocolStats = { absent() {}, version() {} }

type Decided = Exclude<ProxyHeaderOutcome, { kind: 'more' | 'absent' }> | { readonly kind: 'absent' }

/**
 * Undefined: more bytes are needed. A disallowed version is no header where headers may be missing, as in Envoy; else it is read to
 * be refused.
 */
function decide(bytes: Uint8Array, filter: ProxyProtocolFilter): Decided | undefined {
  const outcome = filter.mayBeAbsent ? readProxyHeader(bytes, filter.versions) : readProxyHeader(bytes)
  return outcome.kind === 'more' ? undefined : (outcome as Decided)
}

const lengthOf = (outcome: Decided): number => (outcome.kind === 'header' ? outcome.length : 0)

function apply(
  connection: Connection,
  filter: ProxyProtocolFilter,
  stats: ProxyProtocolStats,
  outcome: Decided | undefined,
): boolean {
  if (outcome === undefined) return false
  if (outcome.kind === 'absent') {
    stats.absent(filter.mayBeAbsent)
    return filter.mayBeAbsent
  }
  const { kind, version } = outcome
  if (kind === 'malformed') {
    stats.version(version, 'error')
    return false
  }
  if (!filter.versions.includes(version)) {
    stats.version(version, 'disallowed')
    return false
  }
  stats.version(version, 'found')
  if (outcome.proxied !== undefined) speakFor(connection, outcome.proxied, filter)
  return true
}

function speakFor(connection: Connection, { source, destination, tlvs }: ProxiedConnection, filter: ProxyProtocolFilter): void {
  connection.directRemote = connection.remote
  connection.remote = source
  const { local } = connection
  if (destination.address !== local.address || destination.port !== local.port) connection.originalDestination = destination
  const passedOn = tlvs.filter(({ type }) => filter.passesOn(type))
  if (passedOn.length > 0) connection.tlvs = passedOn
  const metadata = metadataOf(tlvs, filter)
  if (metadata.size > 0) connection.metadata = new Map([...(connection.metadata ?? []), ...metadata])
}

function metadataOf(tlvs: readonly Tlv[], { rules }: ProxyProtocolFilter): ReadonlyMap<string, Record<string, unknown>> {
  const metadata = new Map<string, Record<string, unknown>>()
  for (const { type, value } of tlvs) {
    // The last rule of a type counts, but the first value of a key.
    const rule = rules.findLast((each) => each.type === type)
    if (rule === undefined) continue
    const before = metadata.get(rule.namespace) ?? {}
    if (Object.hasOwn(before, rule.key)) continue
    const text = rule.base64 ? Buffer.from(value).toString('base64') : utf8Text(value)
    metadata.set(rule.namespace, { ...before, [rule.key]: text })
  }
  return metadata
}

/** What is no UTF-8 must not reach a protobuf as a string (CVE-2024-23324): a `!` stands for it, as in Envoy. */
function utf8Text(value: Uint8Array): string {
  return new TextDecoder().decode(value).replaceAll('�', '!')
}
