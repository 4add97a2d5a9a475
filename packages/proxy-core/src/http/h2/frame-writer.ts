import type { Connection } from '../../net/connection.js'
import { asBuffer } from '../../net/held-bytes.js'
import { DEFAULT_FRAME_SIZE, FLAG, FRAME, FRAME_HEADER_BYTES } from './frames.js'
import { type HpackEncoder, MAX_PREFIX, maxFieldBytes } from './hpack-encoder.js'
import { LARGEST_STAGING, releaseStaging, takeStaging } from './staging-buffers.js'

/** Gathers frames: what is written within one turn of the loop goes out together. */
export class FrameWriter {
  readonly #connection: Connection
  readonly #defer: (run: () => void) => void
  /** A connection has one only while something waits in it to be written. */
  #buffer: Buffer = EMPTY
  #used = 0
  #scheduled = false
  #full = false
  /** The system holds on to what it is given (TLS, full kernel buffers): it is given copies. */
  #slow = false
  /** Frames in the buffer, and those that were given to the connection and have not left. */
  #frames = 0
  #controlFrames = 0
  #unsentFrames = 0
  #unsentControlFrames = 0
  #lastData = -1
  #lastDataStream = 0

  constructor(connection: Connection, defer: (run: () => void) => void) {
    this.#connection = connection
    this.#defer = defer
  }

  /** The connection asked for patience: DATA must wait, other frames need not. */
  get full(): boolean {
    return this.#full
  }

  drained(): void {
    this.#full = false
    this.#unsentFrames = this.#unsentControlFrames = 0
  }

  /** Frames that wait for the peer to read, or for the end of the turn. */
  get waitingFrames(): number {
    return this.#frames + this.#unsentFrames
  }

  get waitingControlFrames(): number {
    return this.#controlFrames + this.#unsentControlFrames
  }

  /** A frame that answers the peer's own: it counts against max_outbound_control_frames. */
  control(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.#controlFrames++
    this.frame(type, flags, streamId, payload)
  }

  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.#reserve(FRAME_HEADER_BYTES + payload.length)
    this.#header(payload.length, type, flags, streamId)
    this.#buffer.set(payload, this.#used)
    this.#used += payload.length
  }

  /** WINDOW_UPDATE, RST_STREAM: one number. */
  number(type: number, streamId: number, value: number): void {
    if (type === FRAME.rstStream) this.#controlFrames++
    this.#reserve(FRAME_HEADER_BYTES + 4)
    this.#header(4, type, 0, streamId)
    this.#used = this.#buffer.writeUInt32BE(value, this.#used)
  }

  bytes(content: Uint8Array): void {
    this.#reserve(content.length)
    this.#buffer.set(content, this.#used)
    this.#used += content.length
  }

  /** At most {@link DEFAULT_FRAME_SIZE} bytes. */
  data(streamId: number, chunk: Uint8Array, from: number, to: number): void {
    const length = to - from
    this.#reserve(FRAME_HEADER_BYTES + length)
    this.#lastData = this.#used
    this.#lastDataStream = streamId
    this.#header(length, FRAME.data, 0, streamId)
    asBuffer(chunk).copy(this.#buffer, this.#used, from, to)
    this.#used += length
  }

  /** Ends a stream: by the flag of its last DATA frame where that has not left yet; false: by a frame of its own. */
  endData(streamId: number): boolean {
    if (this.#lastData >= 0 && this.#lastDataStream === streamId) {
      this.#buffer[this.#lastData + 4]! |= FLAG.endStream
      this.#lastData = -1
      return true
    }
    this.#reserve(FRAME_HEADER_BYTES)
    this.#header(0, FRAME.data, FLAG.endStream, streamId)
    return false
  }

  /** HEADERS, with CONTINUATION where one frame does not hold them. Returns the bytes of the frames. */
  headers(streamId: number, encoder: HpackEncoder, fields: FieldSource, endStream: boolean): number {
    this.#reserve(FRAME_HEADER_BYTES + MAX_PREFIX + fields.maxBytes)
    const start = this.#used
    let at = encoder.begin(this.#buffer, start + FRAME_HEADER_BYTES)
    at = fields.write(encoder, this.#buffer, at)
    const length = at - start - FRAME_HEADER_BYTES
    const flags = endStream ? FLAG.endStream : 0
    if (length <= DEFAULT_FRAME_SIZE) {
      this.#header(length, FRAME.headers, flags | FLAG.endHeaders, streamId)
      this.#used = at
      return FRAME_HEADER_BYTES + length
    }
    const block = Buffer.from(this.#buffer.subarray(start + FRAME_HEADER_BYTES, at))
    for (let from = 0; from < length; from += DEFAULT_FRAME_SIZE) {
      const part = block.subarray(from, from + DEFAULT_FRAME_SIZE)
      const last = from + part.length === length ? FLAG.endHeaders : 0
      this.frame(from === 0 ? FRAME.headers : FRAME.continuation, (from === 0 ? flags : 0) | last, streamId, part)
    }
    return length + FRAME_HEADER_BYTES * Math.ceil(length / DEFAULT_FRAME_SIZE)
  }

  readonly flush = (): void => {
    this.#scheduled = false
    const length = this.#used
    if (length === 0) return
    this.#used = 0
    this.#lastData = -1
    const buffer = this.#buffer
    this.#buffer = EMPTY
    if (this.#slow) {
      this.#send(Buffer.from(buffer.subarray(0, length)))
      releaseStaging(buffer)
    } else {
      // Not by Buffer.subarray, which asks the engine for the memory anew and takes three times as long.
      this.#send(new Uint8Array(buffer.buffer, buffer.byteOffset, length))
      if (this.#connection.buffered > 0) this.#slow = true
      else releaseStaging(buffer)
    }
    this.#count(length)
  }

  /** What the system still holds is the newest: when it is no more than `length`, all before has left. */
  #count(length: number): void {
    const { buffered } = this.#connection
    if (buffered <= length) this.#unsentFrames = this.#unsentControlFrames = 0
    if (buffered > 0) {
      this.#unsentFrames += this.#frames
      this.#unsentControlFrames += this.#controlFrames
    }
    this.#frames = this.#controlFrames = 0
  }

  #send(bytes: Uint8Array): void {
    if (!this.#connection.write(bytes)) this.#full = true
  }

  #header(length: number, type: number, flags: number, streamId: number): void {
    const buffer = this.#buffer
    let at = this.#used
    buffer[at++] = length >>> 16
    buffer[at++] = length >>> 8
    buffer[at++] = length
    buffer[at++] = type
    buffer[at++] = flags
    buffer[at++] = streamId >>> 24
    buffer[at++] = streamId >>> 16
    buffer[at++] = streamId >>> 8
    buffer[at++] = streamId
    this.#used = at
    this.#frames++
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes > this.#buffer.length) this.#makeRoom(bytes)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#defer(this.flush)
  }

  /** What waits moves into a larger buffer, or leaves where there is none. */
  #makeRoom(bytes: number): void {
    if (this.#used + bytes > LARGEST_STAGING) this.flush()
    const before = this.#buffer
    this.#buffer = takeStaging(this.#used + bytes)
    if (this.#used > 0) before.copy(this.#buffer, 0, 0, this.#used)
    releaseStaging(before)
  }
}

/** The fields of one block. */
export interface FieldSource {
  readonly maxBytes: number
  write(encoder: HpackEncoder, into: Buffer, at: number): number
}

/** Collects the fields of a block; one serves all connections, since a block is written at once. */
export class Fields implements FieldSource {
  maxBytes = 0
  /** Of names and values. */
  bytes = 0
  /** They keep their length: an array that is emptied gives its memory back, and asks for it again. */
  readonly #names: string[] = []
  readonly #values: string[] = []
  #count = 0

  clear(): this {
    this.maxBytes = this.bytes = 0
    this.#count = 0
    return this
  }

  add(name: string, value: string): void {
    this.maxBytes += maxFieldBytes(name, value)
    this.bytes += name.length + value.length
    this.#names[this.#count] = name
    this.#values[this.#count++] = value
  }

  write(encoder: HpackEncoder, into: Buffer, at: number): number {
    let next = at
    for (let i = 0; i < this.#count; i++) next = encoder.field(into, next, this.#names[i]!, this.#values[i]!)
    return next
  }
}

const EMPTY = Buffer.alloc(0)
