/** How a stream ends: a gRPC status. */
export interface CloseStatus {
  readonly code: number
  readonly message: string
}

/** The gRPC status codes that the server uses. */
export const STATUS = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The server's end of a stream, as the session uses it. */
export interface StreamTransport {
  /** Where the client is, for people. */
  readonly peer: string
  /**
   * Sends one message, in parts that follow one another; parts are shared by streams, and never changed. False: the client reads slowly. The transport
   * stops reading from it and calls `onDrain` when it has caught up.
   */
  write(parts: readonly Uint8Array[]): boolean
  close(status: CloseStatus): void
}

/** The session's end of a stream, as the transport uses it. Nothing may be called after `onEnd`. */
export interface StreamHandler {
  onMessage(bytes: Uint8Array): void
  onDrain(): void
  /** The client is gone, half-closed or cancelled. */
  onEnd(): void
}
