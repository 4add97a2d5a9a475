import type { Watch } from '@heddle/runtime'
import type { ClientHello } from './client-hello.js'
import type { Connection } from './connection.js'
import type { PeerRules } from './peer-rules.js'

/** A certificate with its key, as PEM. */
export interface CertificateIdentity {
  /** Leaf first. */
  readonly certificateChain: string
  readonly privateKey: string
}

/** Key material and trust of one TLS context, as PEM. Swapped whole: a new handshake reads the current one. */
export interface TlsMaterial {
  /** Leaf first. */
  certificateChain?: string
  privateKey?: string
  /** Further certificates of a server: the client's server name chooses. */
  others?: readonly CertificateIdentity[]
  /** Trust anchors; absent: no chain is verified. */
  trustBundle?: string
  /** Certificate revocation lists, one of each issuer in a chain: a certificate whose issuer has none is refused. */
  crl?: string
  /** What came with the trust anchors; joined with the rules of the context. */
  rules?: PeerRules
}

/** Envoy's TlsParameters, compiled: what a handshake may come to. Lists in OpenSSL's notation, `a:b`, dearest first. */
export interface TlsTerms {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  /** Of TLS 1.2. Absent: Envoy's, AES-GCM and ChaCha20 with ephemeral keys. */
  readonly ciphers?: string
  /** Of TLS 1.3. Absent: all three of RFC 8446, as Envoy's clients order them. */
  readonly suites?: string
  /** Groups of the key exchange. Absent: X25519 and P-256 as in Envoy, then P-384 and P-521. */
  readonly curves?: string
  /** Absent: OpenSSL's. */
  readonly signatureAlgorithms?: string
}

/** Envoy's DownstreamTlsContext, compiled. */
export interface ServerTlsContext extends TlsTerms {
  readonly material: Watch<TlsMaterial | undefined>
  readonly alpn: readonly string[]
  readonly requireClientCertificate: boolean
  /** Of several certificates, and none with the name that the client asks for, it may get any. Absent: the first. */
  readonly scansAllCertificates?: boolean
  /** Who asks for no server name is refused. */
  readonly requiresServerName?: boolean
  /** The client's order of ciphers counts. Absent: ours. */
  readonly prefersClientCiphers?: boolean
  /** For how many seconds clients are known again by a ticket, as long as the material stays what it is. Absent or 0: no tickets are given. */
  readonly sessionTimeoutS?: number
  /** Checked after the handshake. */
  readonly rules?: PeerRules
}

/** Envoy's UpstreamTlsContext, compiled. */
export interface ClientTlsContext extends TlsTerms {
  readonly material: Watch<TlsMaterial | undefined>
  readonly sni?: string
  readonly alpn: readonly string[]
  readonly rules?: PeerRules
  /** A session of each server is kept, to be known again by. Absent: yes. */
  readonly resumes?: boolean
  /** The same for connections on which both sides say who they are first (Istio's TCP metadata exchange); absent: it is not offered. */
  readonly exchanging?: ClientTlsContext
  /** auto_san_validation: the host name or address that the certificate must be for, whatever else the rules ask. */
  readonly mustBeNamed?: string
}

/** A name of a kind of its own (RFC 5280 §4.2.1.6, otherName). */
export interface OtherName {
  /** An object identifier, `1.2.3`. */
  readonly type: string
  /** Numbers in decimal, of everything else its octets. */
  readonly value: string
}

export interface PeerSan {
  readonly uris: readonly string[]
  readonly dns: readonly string[]
  readonly ips: readonly string[]
  readonly emails: readonly string[]
  readonly otherNames: readonly OtherName[]
}

/**
 * Makes TLS on accepted and on outgoing connections, including bytes that a listener filter has put back by `unread`. Resolves
 * with the encrypted connection; rejects when the handshake fails or the peer is not let in, and the connection is closed then.
 */
export interface Tls {
  /** `hello`: what the client says first, where a listener filter has read it. */
  accept(connection: Connection, context: ServerTlsContext, hello?: ClientHello): Promise<Connection>
  connect(connection: Connection, context: ClientTlsContext): Promise<Connection>
}
