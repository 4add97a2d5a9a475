/** One end of a connection. */
export interface SocketAddress {
  /** IP address in canonical text, or the path of a Unix socket. */
  address: string
  /** 0 for Unix sockets. */
  port: number
}

/** What the TLS handshake settled. */
export interface TlsInfo {
  /** Negotiated ALPN protocol; undefined when none was. */
  alpn?: string
  /** Server name that the client asked for. */
  sni?: string
  /** `TLSv1.2`, `TLSv1.3`. */
  version: string
  /** The peer presented a certificate, and it was verified against the trust bundle. */
  peerVerified: boolean
  /** DER of the peer's leaf certificate. */
  peerCertificate?: Uint8Array
  /** URI SANs of the peer's verified certificate, in order: SPIFFE IDs. */
  peerUris: readonly string[]
  /** URI SANs of our own certificate. */
  localUris: readonly string[]
}

/** What the owner of a connection hears. `bytes` are valid only during the call: copy what must live longer. */
export interface ConnectionHandler {
  onData(bytes: Uint8Array): void
  /** The peer has half-closed: no more data comes. */
  onEnd(): void
  /** A write that returned false has reached the kernel. */
  onDrain(): void
  /** Once, always, last; with the reason when the connection did not end in peace. */
  onClose(error?: Error): void
}

/**
 * A byte stream with back-pressure, the narrow waist under every protocol: TCP, TLS over it, or the in-process pair
 * (`net/memory`). Node's sockets stop at the rim.
 */
export interface Connection {
  readonly remote: SocketAddress
  readonly local: SocketAddress
  /** Destination before redirection, where the listener asked for it. */
  readonly originalDestination?: SocketAddress | undefined
  /** Present once TLS has been established on it. */
  readonly tls?: TlsInfo | undefined
  readonly closed: boolean
  /** Gives the connection to another owner; data that came before the first owner is kept until then. */
  handle(handler: ConnectionHandler): void
  /** Takes ownership of `bytes`. False: enough is under way, wait for `onDrain`. */
  write(bytes: Uint8Array): boolean
  /** Half-closes after what was written. */
  end(): void
  /** Closes at once; `onClose` follows. */
  destroy(error?: Error): void
  /** Stops reading, so that the peer feels it. */
  pause(): void
  resume(): void
}
