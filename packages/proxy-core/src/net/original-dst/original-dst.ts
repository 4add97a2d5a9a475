import type { SocketAddress } from '../connection.js'

/** An accepted TCP socket as the kernel knows it. */
export interface AcceptedSocket {
  /** File descriptor; -1 where the runtime does not tell it. */
  readonly fd: number
  readonly local: SocketAddress
  /** What the listener is bound to. */
  readonly bound: SocketAddress
}

/** Where the client of a redirected connection meant to go. */
export interface OriginalDst {
  /** Undefined: the connection was not redirected, and the client meant this very listener. Never throws. */
  of(socket: AcceptedSocket): SocketAddress | undefined
}

/** A listener with use_original_dst or `transparent` cannot be bound, and why. */
export class OriginalDstError extends Error {
  readonly code = 'ORIGINAL_DST'

  constructor(message: string) {
    super(message)
    this.name = 'OriginalDstError'
  }
}
