import { HeldBytes } from '../../net/held-bytes.js'
import { Http2Error } from './error.js'
import type { FloodGuard } from './flood-guard.js'
import { ERROR_CODE, FLAG, FRAME_HEADER_BYTES } from './frames.js'
import { createHpackDecoder } from './hpack-decoder.js'
import { MessageHead, type MessageLimits } from './message-head.js'

/** Encoded bytes beyond the limit of the decoded ones: what is a little too large can still be refused alone. */
const SLACK_BYTES = 64 * 1024

/** HEADERS and its CONTINUATIONs (RFC 9113 §4.3): one block at a time, decoded when it is whole. */
export class HeaderBlock {
  readonly head: MessageHead
  streamId = 0
  endStream = false
  /** More of it is to come. */
  open = false
  /** The stream whose block is incomplete, or could not be decoded; 0: none. */
  failing = 0
  /** Of its frames. */
  bytes = 0
  readonly #decoder: ReturnType<typeof createHpackDecoder>
  readonly #guard: FloodGuard
  readonly #maxBytes: number
  readonly #held = new HeldBytes()
  #frames = 0

  constructor(tableSize: number, limits: MessageLimits, guard: FloodGuard) {
    this.#decoder = createHpackDecoder(tableSize)
    this.#guard = guard
    this.#maxBytes = limits.maxBytes + SLACK_BYTES
    this.head = new MessageHead(limits)
  }

  begin(streamId: number, flags: number, bytes: Buffer, start: number, end: number): void {
    this.streamId = this.failing = streamId
    this.endStream = (flags & FLAG.endStream) !== 0
    this.#frames = 1
    this.bytes = FRAME_HEADER_BYTES + end - start
    if ((flags & FLAG.endHeaders) !== 0) this.#decode(bytes, start, end)
    else {
      this.open = true
      this.#held.append(bytes.subarray(start, end))
    }
  }

  continue(flags: number, bytes: Buffer, start: number, end: number): void {
    const last = (flags & FLAG.endHeaders) !== 0
    this.bytes += FRAME_HEADER_BYTES + end - start
    this.#guard.messageFrame(start === end && !last)
    this.#guard.blockFrame(++this.#frames)
    if (this.#held.length + end - start > this.#maxBytes)
      throw new Http2Error(ERROR_CODE.enhanceYourCalm, 'a header block is far too large')
    this.#held.append(bytes.subarray(start, end))
    if (!last) return
    this.open = false
    const block = this.#held.take()
    this.#decode(block, 0, block.length)
  }

  #decode(bytes: Buffer, start: number, end: number): void {
    this.head.reset()
    if (!this.#decoder.decode(bytes, start, end, this.head.take))
      throw new Http2Error(ERROR_CODE.compressionError, 'a header block cannot be decoded')
    this.head.finish()
    this.failing = 0
  }
}
