import { createHash, type X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { isIpAddress } from './address.js'
import type { Connection, PeerCertificate, TlsInfo } from './connection.js'
import { streamOf } from './connection-stream.js'
import { dnsNameFits, judgePeer, PeerRefusedError, type PeerRules } from './peer-rules.js'
import { SocketConnection } from './socket-connection.js'
import { type ReadTarget, readWithOnRead } from './socket-handle.js'
import type { PeerSan, TlsMaterial } from './tls.js'
import { localUrisOf } from './tls-material.js'
import { isOutOfTime, ownProblem, verifyErrorOf } from './verify-error.js'
import { describePeer } from './x509/peer-certificate.js'

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
    // Node tells errors of an accepted handshake by this event only.
    socket.once('_tlsError', failed)
    socket.on('error', failed)
    socket.once('close', () => reject(reason ?? new Error('the connection was closed during the TLS handshake')))
    socket.once(event, () => resolve())
  })
}

interface Established {
  readonly socket: TLSSocket
  readonly inner: Connection
  readonly material: TlsMaterial
  readonly sni: string | undefined
  readonly rules: PeerRules
  readonly mustBeNamed?: string | undefined
  /** What the peer's certificate must be for. */
  readonly purpose: 'client' | 'server'
  /** Our own verification, at this time, comes on top of OpenSSL's. */
  readonly strictAt: number | undefined
}

/** The encrypted connection, when the peer is let in. A peer that shows no certificate is nobody, and was not asked for one. */
export function establish(established: Established): Connection {
  const { socket, inner, material, sni } = established
  const leaf = leafOf(socket)
  const peer = leaf === undefined ? undefined : describePeer(leaf, () => chainOf(socket))
  const verified = peer !== undefined && leaf !== undefined && isVerified(established, peer, leaf)
  const cipher = socket.getCipher()
  const info: TlsInfo = {
    version: socket.getProtocol() ?? '',
    cipher: cipher.name,
    peerVerified: verified,
    peerUris: verified && peer !== undefined ? peer.uris : [],
    localUris: localUrisOf(material, established.purpose === 'client' ? sni : undefined),
    ...(typeof socket.alpnProtocol === 'string' ? { alpn: socket.alpnProtocol } : {}),
    ...(sni === undefined ? {} : { sni }),
    ...(peer === undefined ? {} : { peer }),
  }
  const { remote, directRemote, local, originalDestination, transparentSource, requestedServerName, tlvs, metadata } = inner
  const known = { remote, directRemote, local, originalDestination, transparentSource, requestedServerName, tlvs, metadata }
  const target: ReadTarget = { connection: undefined }
  const connection = new SocketConnection(socket, { ...known, tls: info }, readWithOnRead(socket, target))
  target.connection = connection
  const early: Buffer | null = socket.read()
  if (early !== null) connection.unread(early)
  return connection
}

function isVerified(
  established: Established,
  { hash, san, uris, dns }: PeerCertificate & { readonly san: PeerSan },
  leaf: X509Certificate,
): boolean {
  const { socket, material, rules, mustBeNamed } = established
  const title = uris[0] ?? dns[0] ?? 'nobody'
  const trusted = material.trustBundle !== undefined
  const problem = trusted ? chainProblemOf(established) : undefined
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
function chainProblemOf({ socket, material, rules, mustBeNamed, purpose, strictAt }: Established): string | undefined {
  const error = verifyErrorOf(socket)
  const excused = rules.allowExpired && isOutOfTime(error)
  if (error !== undefined && !excused) return error
  if (strictAt === undefined && !excused) return undefined
  const kind = isIpAddress(mustBeNamed ?? '') ? 'ip' : 'dns'
  return ownProblem(chainOf(socket), material, {
    purpose,
    at: rules.allowExpired ? undefined : strictAt,
    profile: strictAt === undefined ? 'essential' : 'strict',
    ...(mustBeNamed === undefined ? {} : { name: { kind, value: mustBeNamed } }),
  })
}

function isNamed({ dns, ips }: PeerSan, name: string): boolean {
  return ips.includes(name) || dns.some((each) => dnsNameFits(each.toLowerCase(), name))
}

function leafOf(socket: TLSSocket): X509Certificate | undefined {
  return socket.getPeerX509Certificate()
}

/** The verified chain, root included. Only while the socket lives. */
function chainOf(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  const seen = new Set<DetailedPeerCertificate>()
  while (certificate?.raw !== undefined && !seen.has(certificate)) {
    seen.add(certificate)
    chain.push(certificate.raw)
    certificate = certificate.issuerCertificate
  }
  return chain
}
