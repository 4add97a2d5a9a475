/** What the owner of a stream hears. */
export interface StreamEvents {
  /** One whole message. */
  onMessage(bytes: Uint8Array): void
  /** Once, last. `reason` is for people: `14 UNAVAILABLE: connect ECONNREFUSED …`. */
  onClose(reason: string): void
}

/** A bidirectional stream of messages. */
export interface XdsStream {
  send(bytes: Uint8Array): void
  /** Ends it; `onClose` follows. */
  close(): void
}

/** The way to an xDS server: gRPC (`xds/grpc-transport`), or a pair in the same process in tests. */
export interface XdsTransport {
  /** For people: the server's address. */
  readonly target: string
  /** Never throws: what fails comes as `onClose`, after this call has returned. */
  open(method: string, events: StreamEvents): XdsStream
  /** Frees connections. Streams that are open end. */
  close(): void
}
