import type { Watch } from '@heddle/runtime'
import type { Connection } from './connection.js'

/** Key material and trust of one TLS context, as PEM. Swapped whole: a new handshake reads the current one. */
export interface TlsMaterial {
  /** Leaf first. */
  certificateChain?: string
  privateKey?: string
  /** Trust anchors; absent: peers are not verified. */
  trustBundle?: string
}

/** Envoy's DownstreamTlsContext, compiled. */
export interface ServerTlsContext {
  readonly material: Watch<TlsMaterial | undefined>
  readonly alpn: readonly string[]
  readonly requireClientCertificate: boolean
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers?: string
  /** True for a verified peer that the SAN matchers let in; checked after the handshake. */
  readonly allowPeer?: (san: PeerSan) => boolean
}

/** Envoy's UpstreamTlsContext, compiled. */
export interface ClientTlsContext {
  readonly material: Watch<TlsMaterial | undefined>
  readonly sni?: string
  readonly alpn: readonly string[]
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers?: string
  readonly allowPeer?: (san: PeerSan) => boolean
}

export interface PeerSan {
  readonly uris: readonly string[]
  readonly dns: readonly string[]
  readonly ips: readonly string[]
  readonly emails: readonly string[]
}

/**
 * Makes TLS on accepted and on outgoing connections, including bytes that a listener filter has put back by `unread`. Resolves
 * with the encrypted connection; rejects when the handshake fails or the peer is not let in, and the connection is closed then.
 */
export interface Tls {
  accept(connection: Connection, context: ServerTlsContext): Promise<Connection>
  connect(connection: Connection, context: ClientTlsContext): Promise<Connection>
}
