import { asBuffer, HeldBytes } from '../../net/held-bytes.js'
import { Http2Error, NOT_ALLOWED } from './error.js'
import type { FloodGuard } from './flood-guard.js'
import { DEFAULT_FRAME_SIZE, ERROR_CODE, FLAG, FRAME, FRAME_HEADER_BYTES, PREFACE } from './frames.js'
import type { HeaderBlock } from './header-block.js'
import type { MessageHead } from './message-head.js'

/** What frames mean, once their shape is in order. Payloads lie in `bytes` from `start` to `end` and are valid during the call. */
export interface FrameSink {
  /** Nothing more is read. */
  readonly over: boolean
  /** Any frame at all. */
  heard(): void
  data(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void
  /** A whole block; `head` is valid until the next. */
  headers(streamId: number, head: MessageHead, endStream: boolean): void
  rstStream(streamId: number, code: number): void
  settings(payload: Buffer): void
  ping(payload: Buffer): void
  goaway(lastStreamId: number, code: number): void
  windowUpdate(streamId: number, increment: number): void
}

/** Takes the preface, frames and header blocks out of a byte stream; refuses frames that have a shape they cannot have (RFC 9113 §4, §6). */
export class FrameReader {
  readonly #sink: FrameSink
  readonly #guard: FloodGuard
  readonly #block: HeaderBlock
  readonly #held = new HeldBytes()
  #prefaceLeft: number
  #settled = false

  /** `expectsPreface`: of a client. */
  constructor(sink: FrameSink, guard: FloodGuard, block: HeaderBlock, expectsPreface: boolean) {
    this.#sink = sink
    this.#guard = guard
    this.#block = block
    this.#prefaceLeft = expectsPreface ? PREFACE.length : 0
  }

  /** Throws {@link Http2Error}, after which nothing may be read. */
  read(bytes: Uint8Array): void {
    let buffer = asBuffer(bytes)
    if (this.#held.length > 0) {
      this.#held.append(bytes)
      buffer = this.#held.take()
    }
    const at = this.#readFrames(buffer)
    if (at < buffer.length && !this.#sink.over) this.#held.append(at === 0 ? buffer : buffer.subarray(at))
  }

  /** Returns where the first incomplete frame begins. */
  #readFrames(bytes: Buffer): number {
    let at = this.#readPreface(bytes)
    while (bytes.length - at >= FRAME_HEADER_BYTES && !this.#sink.over) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
      if (length > DEFAULT_FRAME_SIZE) throw new Http2Error(ERROR_CODE.frameSizeError, 'a frame is too large')
      const end = at + FRAME_HEADER_BYTES + length
      if (end > bytes.length) break
      const streamId = bytes.readUInt32BE(at + 5) & 0x7fffffff
      this.#frame(bytes[at + 3]!, bytes[at + 4]!, streamId, bytes, at + FRAME_HEADER_BYTES, end)
      at = end
    }
    return at
  }

  #readPreface(bytes: Buffer): number {
    const length = Math.min(this.#prefaceLeft, bytes.length)
    if (length === 0) return 0
    const from = PREFACE.length - this.#prefaceLeft
    if (bytes.toString('latin1', 0, length) !== PREFACE.slice(from, from + length))
      throw protocolError('the connection does not begin with the preface of HTTP/2')
    this.#prefaceLeft -= length
    return length
  }

  #frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#sink.heard()
    if (!this.#settled && type !== FRAME.settings) throw protocolError('the first frame must be SETTINGS')
    if (this.#block.open && (type !== FRAME.continuation || streamId !== this.#block.streamId))
      throw protocolError('a header block is interrupted')
    switch (type) {
      case FRAME.data:
        if (streamId === 0) throw protocolError('DATA on stream 0')
        this.#guard.messageFrame(end === start && (flags & FLAG.endStream) === 0)
        this.#sink.data(flags, streamId, bytes, start, end)
        return
      case FRAME.headers:
        this.#headers(flags, streamId, bytes, start, end)
        return
      case FRAME.continuation:
        if (!this.#block.open) throw protocolError('CONTINUATION without HEADERS')
        this.#block.continue(flags, bytes, start, end)
        this.#blockMayBeWhole()
        return
      case FRAME.priority:
        expectSize(end - start, 5)
        this.#guard.priority()
        checkPriority(streamId, bytes, start)
        return
      case FRAME.rstStream:
        expectSize(end - start, 4)
        this.#sink.rstStream(streamId, bytes.readUInt32BE(start))
        return
      case FRAME.settings:
        this.#settings(flags, streamId, bytes.subarray(start, end))
        return
      case FRAME.ping:
        expectSize(end - start, 8)
        if (streamId !== 0) throw protocolError('PING on a stream')
        if ((flags & FLAG.ack) === 0) this.#sink.ping(bytes.subarray(start, end))
        return
      case FRAME.goaway:
        if (end - start < 8) throw sizeError()
        if (streamId !== 0) throw notAllowed('GOAWAY on a stream')
        this.#sink.goaway(bytes.readUInt32BE(start) & 0x7fffffff, bytes.readUInt32BE(start + 4))
        return
      case FRAME.windowUpdate:
        expectSize(end - start, 4)
        this.#sink.windowUpdate(streamId, bytes.readUInt32BE(start) & 0x7fffffff)
        return
      case FRAME.pushPromise:
        throw notAllowed('PUSH_PROMISE', ERROR_CODE.protocolError, NOT_ALLOWED)
    }
  }

  #headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#guard.messageFrame(end === start && (flags & FLAG.endStream) === 0)
    if (streamId === 0) throw notAllowed('HEADERS on stream 0')
    let from = start
    let to = end
    if ((flags & FLAG.padded) !== 0) to -= bytes[from++] ?? 0
    if ((flags & FLAG.priority) !== 0) {
      if (to - from >= 5) checkPriority(streamId, bytes, from)
      from += 5
    }
    if (from > to) throw protocolError('padding is longer than its frame')
    this.#block.begin(streamId, flags, bytes, from, to)
    this.#blockMayBeWhole()
  }

  #blockMayBeWhole(): void {
    const { head, streamId, endStream } = this.#block
    if (this.#block.open) return
    if (head.bomb) throw new Http2Error(ERROR_CODE.enhanceYourCalm, 'a header block is far too large', { details: head.problem })
    this.#sink.headers(streamId, head, endStream)
  }

  #settings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw notAllowed('SETTINGS on a stream')
    if ((flags & FLAG.ack) !== 0) {
      if (payload.length !== 0) throw sizeError()
      return
    }
    if (payload.length % 6 !== 0) throw sizeError()
    this.#settled = true
    this.#sink.settings(payload)
  }
}

function checkPriority(streamId: number, bytes: Buffer, at: number): void {
  if (streamId === 0) throw notAllowed('PRIORITY on stream 0')
  if ((bytes.readUInt32BE(at) & 0x7fffffff) === streamId) throw notAllowed('a stream depends on itself')
}

function protocolError(message: string): Http2Error {
  return new Http2Error(ERROR_CODE.protocolError, message)
}

/** Well formed, and not allowed here. */
export function notAllowed(message: string, code: number = ERROR_CODE.protocolError, details = ''): Http2Error {
  return new Http2Error(code, message, { tell: false, details })
}

function sizeError(): Http2Error {
  return new Http2Error(ERROR_CODE.frameSizeError, 'a frame has a size that it cannot have')
}

function expectSize(actual: number, expected: number): void {
  if (actual !== expected) throw sizeError()
}
