import type { Clock } from '@heddle/runtime'
import type { CompiledListener } from '../../config/compiled.js'
import { isIpAddress } from '../../net/address.js'
import { type ClientHello, readClientHello, readClientHelloParts } from '../../net/client-hello.js'
import type { Connection, TlsFingerprints } from '../../net/connection.js'
import { peek } from '../../net/peek.js'
import { ja3Of, ja4Of, type WantedFingerprints } from '../../net/tls-fingerprint.js'
import type { ProxyProtocolStats } from '../../observe/proxy-protocol-stats.js'
import type { ConnectionFacts } from './facts.js'
import { inspectHttp } from './http-inspector.js'
import { readProxyProtocol } from './proxy-protocol.js'

/** What a connection's first bytes tell. */
interface Inspection {
  readonly tls: ClientHello | undefined
  readonly protocols: readonly string[]
}

const PLAIN: Inspection = { tls: undefined, protocols: [] }
const REFUSED = 'refused'

/**
 * Runs the listener filters. Undefined: the connection ended, was malformed, or said too little in
 * listener_filters_timeout and the listener does not go on without.
 */
export async function inspectConnection(
  connection: Connection,
  listener: CompiledListener,
  clock: Clock,
  stats?: ProxyProtocolStats,
): Promise<ConnectionFacts | undefined> {
  let late = false
  let giveUp: (() => void) | undefined
  const { listenerFiltersTimeoutMs: timeoutMs } = listener
  const stop =
    timeoutMs > 0
      ? clock.after(timeoutMs, () => {
          late = true
          giveUp?.()
        })
      : undefined
  const waiting = <W extends { giveUp(): void }>(reading: W): W => {
    giveUp = reading.giveUp
    return reading
  }
  try {
    const { proxyProtocol } = listener
    const destination = connection.originalDestination ?? connection.local
    if (proxyProtocol !== undefined && listener.listenerFilterEnabled('proxy_protocol', destination.port)) {
      const known = await waiting(readProxyProtocol(connection, proxyProtocol, stats)).read
      if (!known && !(late && listener.continueOnListenerFiltersTimeout)) return undefined
    }
    const { port } = connection.originalDestination ?? connection.local
    keepSource(connection, listener, port)
    const wantsTls = listener.listenerFilterEnabled('tls_inspector', port)
    const wantsHttp = listener.listenerFilterEnabled('http_inspector', port)
    if (late || (!wantsTls && !wantsHttp)) return factsOf(connection, PLAIN)
    const see = (bytes: Uint8Array): ReturnType<typeof look> => {
      const seen = look(bytes, wantsTls, wantsHttp)
      if (listener.fingerprints !== undefined && seen !== undefined && seen !== REFUSED && seen.tls !== undefined)
        connection.tlsFingerprints = fingerprintsOf(bytes, listener.fingerprints)
      return seen
    }
    const found = await waiting(peek(connection, see)).found
    if (found === REFUSED) return undefined
    if (found !== undefined) return factsOf(connection, found)
    return late && listener.continueOnListenerFiltersTimeout ? factsOf(connection, PLAIN) : undefined
  } finally {
    stop?.()
  }
}

/** Undefined: none is wanted. */
function fingerprintsOf(bytes: Uint8Array, { ja3, ja4 }: WantedFingerprints): TlsFingerprints | undefined {
  if (!ja3 && !ja4) return undefined
  const parts = readClientHelloParts(bytes)
  return { ja3: ja3 ? ja3Of(parts) : undefined, ja4: ja4 ? ja4Of(parts) : undefined }
}

/** envoy.filters.listener.original_src. */
function keepSource(connection: Connection, { originalSrcMark, listenerFilterEnabled }: CompiledListener, port: number): void {
  const { address } = connection.remote
  if (originalSrcMark === undefined || !listenerFilterEnabled('original_src', port) || !isIpAddress(address)) return
  connection.transparentSource = { address, mark: originalSrcMark }
}

/** Undefined: more bytes are needed. A ClientHello that cannot be read is never taken for something else (CVE-2020-8660). */
function look(bytes: Uint8Array, wantsTls: boolean, wantsHttp: boolean): Inspection | typeof REFUSED | undefined {
  if (wantsTls) {
    const outcome = readClientHello(bytes)
    if (outcome.kind === 'more') return undefined
    if (outcome.kind === 'malformed') return REFUSED
    if (outcome.kind === 'hello') return { tls: outcome.hello, protocols: outcome.hello.alpn }
  }
  if (!wantsHttp) return PLAIN
  const protocol = inspectHttp(bytes)
  if (protocol === 'more') return undefined
  return protocol === undefined ? PLAIN : { tls: undefined, protocols: [protocol] }
}

function factsOf(connection: Connection, { tls, protocols }: Inspection): ConnectionFacts {
  const facts: ConnectionFacts = {
    destination: connection.originalDestination ?? connection.local,
    source: connection.remote,
    directSource: connection.directRemote ?? connection.remote,
    transportProtocol: tls === undefined ? 'raw_buffer' : 'tls',
    applicationProtocols: protocols,
    ...(connection.metadata && { metadata: connection.metadata }),
  }
  if (tls?.serverName === undefined) return facts
  connection.requestedServerName = tls.serverName
  return { ...facts, serverName: tls.serverName }
}
