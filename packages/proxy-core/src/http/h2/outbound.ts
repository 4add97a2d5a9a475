import type { Connection } from '../../net/connection.js'
import type { HeaderMap } from '../header-map.js'
import { Http2Error } from './error.js'
import type { FloodGuard } from './flood-guard.js'
import { Fields, FrameWriter } from './frame-writer.js'
import { DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, ERROR_CODE, FRAME_HEADER_BYTES, MAX_WINDOW } from './frames.js'
import { createHpackEncoder } from './hpack-encoder.js'
import type { Http2Stream } from './stream.js'

const fields = new Fields()

/** What goes out on a connection: header blocks, and data as far as the peer's windows and the socket allow, streams in turn. */
export class Outbound {
  readonly writer: FrameWriter
  readonly #encoder = createHpackEncoder()
  readonly #guard: FloodGuard
  readonly #blocked = new Set<Http2Stream>()
  readonly #ended: (stream: Http2Stream) => void
  #window = DEFAULT_WINDOW
  #held = false
  #over = false

  /** `ended`: our side of a stream is over. */
  constructor(connection: Connection, defer: (run: () => void) => void, guard: FloodGuard, ended: (stream: Http2Stream) => void) {
    this.writer = new FrameWriter(connection, defer)
    this.#guard = guard
    this.#ended = ended
  }

  /** Until {@link release} blocked streams wait: what is being read may open more windows. */
  hold(): void {
    this.#held = true
  }

  release(): void {
    this.#held = false
    if (this.#blocked.size > 0) this.pump()
  }

  /** Nothing goes out any more. */
  stop(): void {
    this.#over = true
    this.#blocked.clear()
  }

  /** Fields of the next block; empty. */
  startFields(): Fields {
    return fields.clear()
  }

  headers(stream: Http2Stream, block: Fields, endStream: boolean): void {
    if (stream.closed) return
    const bytes = this.writer.headers(stream.id, this.#encoder, block, endStream)
    stream.wire.sent += bytes
    stream.wire.headersSent += bytes
    stream.wire.fieldsSent += block.bytes
    if (endStream) this.#ended(stream)
  }

  /** Writes what the windows and the connection allow, `most` bytes at most; returns how many. */
  data(stream: Http2Stream, chunk: Uint8Array, from: number, most: number = chunk.length): number {
    if (this.writer.full) return 0
    const length = Math.min(chunk.length - from, most, this.#window, stream.sendWindow)
    if (length <= 0) return 0
    for (let at = 0; at < length; at += DEFAULT_FRAME_SIZE) {
      this.#guard.dataFrames++
      stream.wire.sent += FRAME_HEADER_BYTES
      this.writer.data(stream.id, chunk, from + at, from + Math.min(length, at + DEFAULT_FRAME_SIZE))
    }
    this.#window -= length
    stream.sendWindow -= length
    stream.wire.sent += length
    return length
  }

  end(stream: Http2Stream, trailers: HeaderMap | undefined): void {
    if (trailers === undefined || trailers.size === 0) {
      if (!this.writer.endData(stream.id)) stream.wire.sent += FRAME_HEADER_BYTES
      this.#ended(stream)
      return
    }
    const block = this.startFields()
    for (let i = 0; i < trailers.size; i++) block.add(trailers.nameAt(i), trailers.valueAt(i))
    this.headers(stream, block, true)
  }

  /** The peer lets the connection as a whole send more. */
  grow(increment: number): void {
    this.#window += increment
    if (this.#window > MAX_WINDOW) throw new Http2Error(ERROR_CODE.flowControlError, 'a window is too large', { tell: false })
  }

  /** The stream's window has changed. */
  unblock(stream: Http2Stream): void {
    if (stream.blocked) this.#blocked.add(stream)
  }

  setMaxTableSize(bytes: number): void {
    this.#encoder.setMaxTableSize(bytes)
  }

  /** The stream has more to send than its windows allow. */
  block(stream: Http2Stream): void {
    if (stream.sendWindow > 0) this.#blocked.add(stream)
    if (!this.#held) this.pump()
  }

  forget(stream: Http2Stream): void {
    this.#blocked.delete(stream)
  }

  /** A frame of each stream in turn, while there is room. */
  pump(): void {
    for (const stream of this.#blocked) {
      if (this.#window <= 0 || this.writer.full || this.#over) return
      this.#blocked.delete(stream)
      if (stream.pump()) this.#blocked.add(stream)
    }
  }
}
