import type { FilterMetadata } from '../config/metadata.js'
import type { TransparentSource } from './original-dst/transparent-client.js'
import type { Tlv } from './proxy-protocol/header.js'

/** One end of a connection. */
export interface SocketAddress {
  /** IP address in canonical text, or the path of a Unix socket. */
  address: string
  /** 0 for Unix sockets. */
  port: number
}

/** Where a connection is served, as logs and formats tell it. */
export interface ServedAt {
  /** Empty: the chain has none. */
  readonly filterChainName: string
  readonly filterChainMetadata?: FilterMetadata | undefined
  readonly listenerMetadata?: FilterMetadata | undefined
}

/** When a connection came about, in monotonic milliseconds of the proxy's clock. */
export interface ConnectionTimes {
  /** It was accepted, or connecting began. */
  readonly began: number
  readonly connected: number
  /** The TLS handshake was over. */
  secured?: number
}

/** Of the ClientHello, as tls_inspector is asked for them. */
export interface TlsFingerprints {
  readonly ja3?: string | undefined
  readonly ja4?: string | undefined
}

/** What the TLS handshake settled. */
export interface TlsInfo {
  /** Negotiated ALPN protocol; undefined when none was. */
  alpn?: string | undefined
  /** Server name that the client asked for. */
  sni?: string | undefined
  /** `TLSv1.2`, `TLSv1.3`. */
  version: string
  /** The peer presented a certificate, and it was verified against the trust bundle. */
  peerVerified: boolean
  /** The peer was known again by a session of an earlier connection. Absent: it was not. */
  resumed?: boolean
  /** Of the key exchange, under BoringSSL's name: `X25519`, `P-256`; undefined where it had none, as RSA's. */
  group?: string | undefined
  /** Lower-case hex; undefined: it has none, as in TLS 1.3, and where a ticket has taken its place. */
  sessionId?: string | undefined
  /** OpenSSL's name of the cipher suite. */
  cipher?: string
  /** The peer's certificates as presented, leaf first; undefined when it presented none. */
  peer?: PeerCertificate | undefined
  /** URI SANs of the peer's verified certificate, in order: SPIFFE IDs. */
  peerUris: readonly string[]
  /** URI SANs of our own certificate. */
  localUris: readonly string[]
  /** Its DER; undefined when there is none. */
  localCertificate?: Uint8Array | undefined
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
  /** DER of all certificates that came, leaf first. */
  chain(): readonly Uint8Array[]
  /** DER of the one that issued it, of a certificate that was verified by trust anchors. */
  issuer(): Uint8Array | undefined
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
  tlsFingerprints?: TlsFingerprints | undefined
  /** Undefined: no filter chain has been chosen. */
  servedAt?: ServedAt | undefined
  /** Undefined where nobody took the time. */
  times?: ConnectionTimes | undefined
  /** Present once TLS has been established on it. */
  readonly tls?: TlsInfo | undefined
  readonly closed: boolean
  /** It was cut off by a reset, of the peer or of our own. Undefined: it is open, or was closed in order. */
  readonly reset?: 'remote' | 'local' | undefined
  /** Why this side closed it, where there is a word for it: see {@link CLOSE_REASON}. */
  localCloseReason?: string | undefined
  /** What network filters say of why they ended it (CONNECTION_TERMINATION_DETAILS). */
  terminationDetails?: string | undefined
  /**
   * Bytes given to `write` that the system has not taken yet. 0 right after a write: its buffer is free to be used again,
   * which lets writers share one staging buffer.
   */
  readonly buffered: number
  /** Bytes that came and bytes that were written so far; of TLS what it carries. What a listener filter took does not count. */
  bytesReceived: number
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
  /**
   * Closes at once; `onClose` follows, later and not within this call. Of an error whose code is ECONNRESET the peer hears as well: what it
   * has read is not all.
   */
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
