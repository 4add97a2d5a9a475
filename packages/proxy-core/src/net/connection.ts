import type { TransparentSource } from './original-dst/transparent-client.js'
import type { Tlv } from './proxy-protocol/header.js'

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
  /** The peer was known again by a session of an earlier connection. Absent: it was not. */
  resumed?: boolean
  /** OpenSSL's name of the cipher suite. */
  cipher?: string
  /** The peer's certificates as presented, leaf first; undefined when it presented none. */
  peer?: PeerCertificate
  /** URI SANs of the peer's verified certificate, in order: SPIFFE IDs. */
  peerUris: readonly string[]
  /** URI SANs of our own certificate. */
  localUris: readonly string[]
}

/** What headers and policies may ask of a peer's leaf certificate. */
export interface PeerCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly hash: string
  /** Lower-case hex. */
  readonly serial: string
  /** RFC 2253 order: `CN=client,OU=Unit,O=Org`; empty for workload certificates. */
  readonly subject: string
  readonly uris: readonly string[]
  readonly dns: readonly string[]
  readonly der: Uint8Array
  /** Its first and last moment, in milliseconds since the epoch. */
  validity(): { readonly from: number; readonly to: number }
  /** PEM of the leaf. */
  pem(): string
  /** PEM of the whole verified chain, leaf first, root included. */
  chainPem(): string
}

/** What the owner of a connection hears. */
export interface ConnectionHandler {
  /**
   * `bytes` are valid only during the call, which may overwrite them: copy what must live longer. Nothing comes after `pause`.
   * `lasting`: they belong to the handler.
   */
  onData(bytes: Uint8Array, lasting?: boolean): void
  /** The peer has half-closed: no more data comes. Writing is still possible until `end`. */
  onEnd(): void
  /** A write that returned false has reached the kernel. */
  onDrain(): void
  /** Once, always, last; with the reason when the connection did not end in peace. */
  onClose(error?: Error): void
}

/** Chooses memory for reads. */
export interface BufferChooser {
  chooseBuffer(): Uint8Array | undefined
}

/**
 * A byte stream with back-pressure, the narrow waist under every protocol: TCP, TLS over it, or the in-process pair
 * (`net/memory`). Node's sockets stop at the rim.
 */
export interface Connection {
  /** The client. A listener filter may set what a proxy in front tells. */
  remote: SocketAddress
  /** The peer, where the client is somebody else. */
  directRemote?: SocketAddress | undefined
  readonly local: SocketAddress
  /**
   * Destination before redirection, where the listener asked for it, or what a proxy in front tells; undefined for a connection
   * that was not redirected.
   */
  originalDestination?: SocketAddress | undefined
  /** Upstreams are to see this address instead of the proxy's own (original_src). */
  transparentSource?: TransparentSource | undefined
  /** What a PROXY header brought, for upstreams that are sent one. */
  tlvs?: readonly Tlv[] | undefined
  /** Dynamic metadata of listener filters, by namespace; what is served on it begins with a copy. */
  metadata?: ReadonlyMap<string, Readonly<Record<string, unknown>>> | undefined
  /**
   * Server name of the ClientHello, once a tls_inspector has read it. Envoy's requested_server_name: without that listener
   * filter it stays unknown, even where the proxy ends TLS.
   */
  requestedServerName?: string | undefined
  /** Present once TLS has been established on it. */
  readonly tls?: TlsInfo | undefined
  readonly closed: boolean
  /**
   * Bytes given to `write` that the system has not taken yet. 0 right after a write: its buffer is free to be used again,
   * which lets writers share one staging buffer.
   */
  readonly buffered: number
  /** Bytes that came and bytes that were written so far; of TLS what it carries. */
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Gives the connection to another owner; nothing is read before the first one. */
  handle(handler: ConnectionHandler): void
  /** Runs `closed` once when the connection is gone, whoever owns it then. */
  onClosed(closed: () => void): void
  /** Puts bytes back that an owner has read too far: the next one hears them first, in a later turn. Takes ownership. */
  unread(bytes: Uint8Array): void
  /** Takes ownership of `bytes` until `buffered` is 0 again. False: enough is under way, wait for `onDrain`. */
  write(bytes: Uint8Array): boolean
  /** Half-closes after what was written. */
  end(): void
  /** Closes at once; `onClose` follows, later and not within this call. */
  destroy(error?: Error): void
  /** Stops reading, so that the peer feels it. */
  pause(): void
  resume(): void
  /**
   * From now on `reader` is asked before each read into what memory it goes; undefined: where it always does. Not there: the
   * connection reads as it likes. What is read comes by {@link ConnectionHandler.onData}, and lies in that memory.
   */
  readInto?(reader: BufferChooser): void
}
