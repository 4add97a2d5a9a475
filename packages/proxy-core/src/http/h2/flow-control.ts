/** What a peer may still send, for a stream or for a connection (RFC 9113 §5.2, §6.9). */
export class ReceiveWindow {
  readonly #size: number
  #available: number
  #owed = 0

  /** `available`: what the peer may send before it has heard of `size`. */
  constructor(size: number, available: number = size) {
    this.#size = size
    this.#available = available
  }

  /** False: the peer has sent more than it may. */
  received(bytes: number): boolean {
    this.#available -= bytes
    return this.#available >= 0
  }

  /** Bytes were taken. The increment to announce; 0 while it is not worth a frame. */
  consumed(bytes: number): number {
    this.#owed += bytes
    if (this.#owed * 2 < this.#size) return 0
    const increment = this.#owed
    this.#owed = 0
    this.#available += increment
    return increment
  }
}
