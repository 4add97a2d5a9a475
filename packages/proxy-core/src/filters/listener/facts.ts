import type { DynamicMetadata } from '../../matcher/value.js'
import type { SocketAddress } from '../../net/connection.js'

/** What listener filters learned of a new connection; filter chains are chosen by it. */
export interface ConnectionFacts {
  readonly destination: SocketAddress
  readonly source: SocketAddress
  /** Before PROXY protocol told another. */
  readonly directSource: SocketAddress
  readonly transportProtocol: 'tls' | 'raw_buffer'
  readonly serverName?: string
  /** From the ClientHello, or `http/1.1`, `http/1.0`, `h2c` from the HTTP inspector. */
  readonly applicationProtocols: readonly string[]
  /** Dynamic metadata of listener filters. */
  readonly metadata?: DynamicMetadata
  /** After TLS: for network RBAC. */
  readonly peerUris?: readonly string[]
}
