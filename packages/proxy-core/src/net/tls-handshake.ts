import { createHash, type X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { isIpAddress } from './address.js'
import type { Connection, TlsInfo } from './connection.js'
import { streamOf } from './connection-stream.js'
import { dnsNameFits, judgePeer, PeerRefusedError, type PeerRules } from './peer-rules.js'
import { chainOf, PresentedPeer } from './presented-peer.js'
import { SocketConnection } from './socket-connection.js'
import { type ReadTarget, readWithOnRead } from './socket-handle.js'
import type { PeerSan, TlsMaterial } from './tls.js'
import { localLeafOf } from './tls-material.js'
import { readSession } from './tls-session.js'
import { isOutOfTime, ownProblem, timeProblem, verifyErrorOf } from './verify-error.js'
import { type DescribedPeer, describePeer, keepDescription } from './x509/peer-certificate.js'

/** What node:tls shall work on: the bare socket where there is one, with what was read and put back. */
export function transportOf(connection: Connection): Socket | Duplex {
  if (!(connection instanceof SocketConnection)) return streamOf(connection)
  const { socket, head } = connection.release()
  if (head !== undefined) socket.unshift(head)
  return socket
}

/** Settles when the handshake has; a connection that closes before rejects. */
export function handshake(socket: TLSSocket, event: 'secure' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    let reason: Error | undefined
    const failed = (error: Error): void => {
      reason ??= error
    }
    const over = (): void => reject(reason ?? new Error('the connection was closed during the TLS handshake'))
    // Node tells errors of an accepted handshake by this event only.
    socket.on('_tlsError', failed)
    socket.on('error', failed)
    // A peer that goes in the middle leaves its half-open connection to us.
    socket.on('end', over)
    socket.on('close', over)
    const done = (): void => {
      socket.off('_tlsError', failed)
      socket.off('end', over)
      socket.off('close', over)
      socket.off(event, done)
      resolve()
    }
    socket.on(event, done)
  })
}

/** How and when peers' certificates are verified. */
export interface Verification {
  /** Our own verification comes on top of OpenSSL's. */
  readonly strict: boolean
  /** Milliseconds since the epoch. */
  readonly at: number
}

interface Established {
  readonly socket: TLSSocket
  /** The peer's certificate, with the chain that came with it. */
  readonly leaf: X509Certificate | undefined
  readonly inner: Connection
  readonly material: TlsMaterial
  readonly sni: string | undefined
  readonly rules: PeerRules
  readonly mustBeNamed?: string | undefined
  /** What the peer's certificate must be for. */
  readonly purpose: 'client' | 'server'
  readonly verification: Verification
}

const NO_URIS: readonly string[] = []

/** The encrypted connection, when the peer is let in. A peer that shows no certificate is nobody, and was not asked for one. */
export function establish(established: Established): Connection {
  const { socket, leaf, inner, material, sni } = established
  const described = leaf && describePeer(leaf)
  const verified = described !== undefined && leaf !== undefined && isVerified(established, described, leaf)
  // Strangers leave nothing behind, however many certificates they show.
  if (verified) keepDescription(described)
  const own = localLeafOf(material, () => socket.getX509Certificate()?.raw)
  const { alpnProtocol } = socket
  const version = socket.getProtocol() ?? ''
  const session = readSession(socket.getSession())
  const info: TlsInfo = {
    version,
    // TLS 1.3 knows clients again by tickets alone; the identifier there is filler.
    sessionId: version === 'TLSv1.2' ? session.id : undefined,
    cipher: socket.getCipher().name,
    group: session.group,
    alpn: typeof alpnProtocol === 'string' ? alpnProtocol : undefined,
    sni,
    resumed: socket.isSessionReused(),
    peerVerified: verified,
    peer: leaf && described && new PresentedPeer(described, leaf, verified ? material.trustBundle : undefined),
    peerUris: verified ? described.uris : NO_URIS,
    localUris: own?.uris ?? NO_URIS,
    localCertificate: own?.der,
  }
  const target: ReadTarget = { connection: undefined }
  const transport = inner instanceof SocketConnection ? inner.transport : undefined
  // Above a stream of ours Node 26 loses what it reads into a buffer of ours.
  const ownBuffer = inner instanceof SocketConnection && readWithOnRead(socket, target)
  const connection = new SocketConnection(socket, inner, ownBuffer, info, transport)
  target.connection = connection
  const early: Buffer | null = socket.read()
  if (early !== null) connection.unread(early)
  return connection
}

function isVerified(established: Established, { hash, san, uris, dns }: DescribedPeer, leaf: X509Certificate): boolean {
  const { socket, material, rules, mustBeNamed } = established
  const title = uris[0] ?? dns[0] ?? 'nobody'
  const trusted = material.trustBundle !== undefined
  const problem = trusted ? chainProblemOf(established, leaf) : undefined
  const spki = (): string =>
    createHash('sha256')
      .update(leaf.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64')
  try {
    const verified = judgePeer({ hash, spki, san, title }, trusted, problem, rules)
    if (mustBeNamed !== undefined && !rules.acceptUntrusted && !isNamed(san, mustBeNamed))
      throw new PeerRefusedError('fail_verify_san', `the certificate is for ${title}, not for ${mustBeNamed}`)
    return verified
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Why no trust anchor vouches for the peer. */
function chainProblemOf(
  { socket, material, rules, mustBeNamed, purpose, verification }: Established,
  leaf: X509Certificate,
): string | undefined {
  const { strict, at } = verification
  const error = verifyErrorOf(socket) ?? (socket.isSessionReused() ? timeProblem(chainOf(leaf), at) : undefined)
  const excused = rules.allowExpired && isOutOfTime(error)
  if (error !== undefined && !excused) return error
  if (!strict && !excused) return undefined
  const kind = isIpAddress(mustBeNamed ?? '') ? 'ip' : 'dns'
  return ownProblem(
    chainOf(leaf).map(({ raw }) => raw),
    material,
    {
      purpose,
      at: rules.allowExpired ? undefined : at,
      profile: strict ? 'strict' : 'essential',
      ...(mustBeNamed === undefined ? {} : { name: { kind, value: mustBeNamed } }),
    },
  )
}

function isNamed({ dns, ips }: PeerSan, name: string): boolean {
  return ips.includes(name) || dns.some((each) => dnsNameFits(each.toLowerCase(), name))
}
