import { HeldBytes } from '../net/held-bytes.js'

const PREFIX_BYTES = 5

/** A message with its five bytes of prefix (gRPC over HTTP/2: Length-Prefixed-Message), not compressed. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, PREFIX_BYTES)
  return framed
}

/** Takes messages out of a body. A message over the limit is refused by its prefix, before its bytes are kept (CVE-2024-37168). */
export class MessageReader {
  readonly #maxBytes: number
  readonly #take: (message: Uint8Array) => void
  readonly #held = new HeldBytes()

  constructor(maxBytes: number, take: (message: Uint8Array) => void) {
    this.#maxBytes = maxBytes
    this.#take = take
  }

  /** No message is cut off in the middle. */
  get clean(): boolean {
    return this.#held.length === 0
  }

  /** What is wrong with the bytes; undefined: nothing. */
  push(chunk: Uint8Array): string | undefined {
    this.#held.append(chunk)
    for (;;) {
      const held = this.#held.peek()
      if (held.length < PREFIX_BYTES) return undefined
      if (held[0] !== 0) return 'a message is compressed, which was not agreed on'
      const length = held.readUInt32BE(1)
      if (length > this.#maxBytes) return `a message of ${length} bytes is larger than ${this.#maxBytes}`
      if (held.length < PREFIX_BYTES + length) return undefined
      const message = Buffer.from(held.subarray(PREFIX_BYTES, PREFIX_BYTES + length))
      this.#held.skip(PREFIX_BYTES + length)
      this.#take(message)
    }
  }
}
