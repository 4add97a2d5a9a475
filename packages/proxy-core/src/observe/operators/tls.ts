import { createHash, X509Certificate } from 'node:crypto'
import type { PeerCertificate, TlsInfo } from '../../net/connection.js'
import { issuerNameOf, readSubjectAltNames, subjectOf } from '../../net/x509/peer-certificate.js'
import { inOneWord, type Operator, type PlainOperators, present } from './operator.js'

const ofDownstream =
  (read: (tls: TlsInfo) => string | undefined): Operator =>
  ({ info: { downstreamTls: tls } }) =>
    tls && present(read(tls))
const ofUpstream =
  (read: (tls: TlsInfo) => string | undefined): Operator =>
  ({ info: { upstreamTls: tls } }) =>
    tls && present(read(tls))
type ReadPeer = (peer: PeerCertificate) => string | undefined
const ofClient = (read: ReadPeer): Operator => ofDownstream(({ peer }) => peer && read(peer))
const ofServer = (read: ReadPeer): Operator => ofUpstream(({ peer }) => peer && read(peer))

type ReadCertificate = (der: Uint8Array) => string | undefined
const ofServersOwn = (read: ReadCertificate): Operator => ofDownstream(({ localCertificate: der }) => der && read(der))
const ofClientsOwn = (read: ReadCertificate): Operator => ofUpstream(({ localCertificate: der }) => der && read(der))

const serial: ReadCertificate = (der) => new X509Certificate(der).serialNumber.toLowerCase()
const sha256: ReadCertificate = (der) => createHash('sha256').update(der).digest('hex')
const sha1: ReadCertificate = (der) => createHash('sha1').update(der).digest('hex')
const names =
  (kind: 'dns' | 'ips' | 'emails'): ReadCertificate =>
  (der) =>
    readSubjectAltNames(der)[kind].join(',')
const otherNames: ReadCertificate = (der) =>
  readSubjectAltNames(der)
    .otherNames.map(({ value }) => value)
    .join(',')
const eachOfChain = (read: ReadCertificate): Operator => ofClient((peer) => peer.chain().map(read).join(','))
const ofIssuer = (read: ReadCertificate): Operator =>
  ofClient((peer) => {
    const der = peer.issuer()
    return der && read(der)
  })
const pem: ReadPeer = (peer) =>
  encodeURIComponent(peer.pem()).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
/** Of a certificate; where there is none, `principal` may have been told in another way. */
const urisOr = (uris: readonly string[] | undefined, principal: string | undefined): string | undefined =>
  present(uris?.join(',') ?? principal)

export const tlsOperators: PlainOperators = {
  TLS_JA3_FINGERPRINT: ({ info }) => info.tlsFingerprints?.ja3,
  TLS_JA4_FINGERPRINT: ({ info }) => info.tlsFingerprints?.ja4,
  DOWNSTREAM_TLS_VERSION: ofDownstream((tls) => tls.version),
  DOWNSTREAM_TLS_GROUP: ofDownstream((tls) => tls.group),
  DOWNSTREAM_TLS_SESSION_ID: ofDownstream((tls) => tls.sessionId),
  DOWNSTREAM_TLS_CIPHER: ofDownstream((tls) => tls.cipher),
  DOWNSTREAM_PEER_SERIAL: ofClient((peer) => peer.serial),
  DOWNSTREAM_PEER_SUBJECT: ofClient((peer) => peer.subject),
  DOWNSTREAM_PEER_ISSUER: ofClient(({ der }) => issuerNameOf(der)),
  DOWNSTREAM_PEER_CERT: ofClient(pem),
  DOWNSTREAM_PEER_DNS_SAN: ofClient((peer) => peer.dns.join(',')),
  DOWNSTREAM_PEER_IP_SAN: ofClient(({ der }) => names('ips')(der)),
  DOWNSTREAM_PEER_EMAIL_SAN: ofClient(({ der }) => names('emails')(der)),
  DOWNSTREAM_PEER_OTHERNAME_SAN: ofClient(({ der }) => otherNames(der)),
  DOWNSTREAM_PEER_URI_SAN: ({ info }) => urisOr(info.downstreamTls?.peer?.uris, info.peerPrincipal),
  DOWNSTREAM_PEER_FINGERPRINT_256: ofClient((peer) => peer.hash),
  DOWNSTREAM_PEER_FINGERPRINT_1: ofClient(({ der }) => sha1(der)),
  DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256: eachOfChain(sha256),
  DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1: eachOfChain(sha1),
  DOWNSTREAM_PEER_CHAIN_SERIALS: eachOfChain(serial),
  DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256: ofIssuer(sha256),
  DOWNSTREAM_PEER_ISSUER_SERIAL: ofIssuer(serial),
  DOWNSTREAM_LOCAL_SUBJECT: ofServersOwn(subjectOf),
  DOWNSTREAM_LOCAL_DNS_SAN: ofServersOwn(names('dns')),
  DOWNSTREAM_LOCAL_IP_SAN: ofServersOwn(names('ips')),
  DOWNSTREAM_LOCAL_EMAIL_SAN: ofServersOwn(names('emails')),
  DOWNSTREAM_LOCAL_OTHERNAME_SAN: ofServersOwn(otherNames),
  DOWNSTREAM_LOCAL_URI_SAN: ({ info }) => urisOr(info.downstreamTls?.localUris, info.localPrincipal),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: ({ info }) => present(inOneWord(info.downstreamTransportFailureReason)),
  UPSTREAM_TLS_VERSION: ofUpstream((tls) => tls.version),
  UPSTREAM_TLS_GROUP: ofUpstream((tls) => tls.group),
  UPSTREAM_TLS_SESSION_ID: ofUpstream((tls) => tls.sessionId),
  UPSTREAM_TLS_CIPHER: ofUpstream((tls) => tls.cipher),
  UPSTREAM_SERVER_NAME: ofUpstream((tls) => tls.sni),
  UPSTREAM_PEER_SUBJECT: ofServer((peer) => peer.subject),
  UPSTREAM_PEER_ISSUER: ofServer(({ der }) => issuerNameOf(der)),
  UPSTREAM_PEER_CERT: ofServer(pem),
  UPSTREAM_PEER_DNS_SAN: ofServer((peer) => peer.dns.join(',')),
  UPSTREAM_PEER_IP_SAN: ofServer(({ der }) => names('ips')(der)),
  UPSTREAM_PEER_SERIAL: ofServer((peer) => peer.serial),
  UPSTREAM_PEER_FINGERPRINT_256: ofServer((peer) => peer.hash),
  UPSTREAM_PEER_URI_SAN: ({ info }) => urisOr(info.upstreamTls?.peer?.uris, info.upstreamPeerPrincipal),
  UPSTREAM_LOCAL_DNS_SAN: ofClientsOwn(names('dns')),
  UPSTREAM_LOCAL_IP_SAN: ofClientsOwn(names('ips')),
  UPSTREAM_LOCAL_URI_SAN: ({ info }) => urisOr(info.upstreamTls?.localUris, info.upstreamLocalPrincipal),
}
