import { createHash, X509Certificate } from 'node:crypto'
import type { StreamInfo } from '../../http/stream-info.js'
import type { PeerCertificate, TlsInfo } from '../../net/connection.js'
import { readSubjectAltNames } from '../../net/x509/peer-certificate.js'
import { type Operator, type PlainOperators, present } from './operator.js'

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

/** RFC 2253, as PeerCertificate.subject. */
const issuer: ReadPeer = ({ der }) => new X509Certificate(der).issuer.split('\n').reverse().join(',')
const pem: ReadPeer = (peer) =>
  encodeURIComponent(peer.pem()).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
const ips: ReadPeer = ({ der }) => readSubjectAltNames(der).ips.join(',')
const emails: ReadPeer = ({ der }) => readSubjectAltNames(der).emails.join(',')
const clientUris = ({ downstreamTls, peerPrincipal }: StreamInfo): string | undefined =>
  present(downstreamTls?.peer?.uris.join(',') ?? peerPrincipal)

export const tlsOperators: PlainOperators = {
  DOWNSTREAM_TLS_VERSION: ofDownstream((tls) => tls.version),
  DOWNSTREAM_TLS_CIPHER: ofDownstream((tls) => tls.cipher),
  DOWNSTREAM_PEER_SERIAL: ofClient((peer) => peer.serial),
  DOWNSTREAM_PEER_SUBJECT: ofClient((peer) => peer.subject),
  DOWNSTREAM_PEER_ISSUER: ofClient(issuer),
  DOWNSTREAM_PEER_CERT: ofClient(pem),
  DOWNSTREAM_PEER_DNS_SAN: ofClient((peer) => peer.dns.join(',')),
  DOWNSTREAM_PEER_IP_SAN: ofClient(ips),
  DOWNSTREAM_PEER_EMAIL_SAN: ofClient(emails),
  DOWNSTREAM_PEER_URI_SAN: ({ info }) => clientUris(info),
  DOWNSTREAM_PEER_FINGERPRINT_256: ofClient((peer) => peer.hash),
  DOWNSTREAM_PEER_FINGERPRINT_1: ofClient(({ der }) => createHash('sha1').update(der).digest('hex')),
  DOWNSTREAM_LOCAL_URI_SAN: ({ info }) => present(info.localPrincipal),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: ({ info }) => present(info.downstreamTransportFailureReason?.replaceAll(' ', '_')),
  UPSTREAM_TLS_VERSION: ofUpstream((tls) => tls.version),
  UPSTREAM_TLS_CIPHER: ofUpstream((tls) => tls.cipher),
  UPSTREAM_SERVER_NAME: ofUpstream((tls) => tls.sni),
  UPSTREAM_PEER_SUBJECT: ofServer((peer) => peer.subject),
  UPSTREAM_PEER_ISSUER: ofServer(issuer),
  UPSTREAM_PEER_CERT: ofServer(pem),
  UPSTREAM_PEER_DNS_SAN: ofServer((peer) => peer.dns.join(',')),
  UPSTREAM_PEER_IP_SAN: ofServer(ips),
  UPSTREAM_PEER_SERIAL: ofServer((peer) => peer.serial),
  UPSTREAM_PEER_FINGERPRINT_256: ofServer((peer) => peer.hash),
  UPSTREAM_PEER_URI_SAN: ({ info }) => present(info.upstreamPeerPrincipal),
  UPSTREAM_LOCAL_URI_SAN: ({ info }) => present(info.upstreamLocalPrincipal),
}
