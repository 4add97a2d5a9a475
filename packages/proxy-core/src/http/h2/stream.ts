import { HeldBytes } from '../../net/held-bytes.js'
import type { WireBytes } from '../codec.js'
import type { HeaderMap } from '../header-map.js'
import type { Body, BodySink } from '../message.js'
import type { Http2Connection } from './connection.js'
import { ReceiveWindow } from './flow-control.js'
import { DEFAULT_FRAME_SIZE, ERROR_CODE } from './frames.js'
import type { Outbound } from './outbound.js'

/** So much may wait for windows and for the connection before the sender of a body is asked to wait. */
const ENOUGH_QUEUED = 64 * 1024

/** What the two sides of an exchange do differently. */
export interface StreamOwner {
  /** Our last frame has been written. */
  onLocalEnd(): void
  /** The peer's last frame has come. */
  onRemoteEnd(): void
  /** The stream is gone before both ends. `code` of RFC 9113 §7; `byPeer`: the peer has reset it. */
  onReset(code: number, byPeer: boolean, error?: Error): void
}

const DROP: BodySink = { data: () => true, end() {}, abort() {} }

/** One stream: a body that comes in, and the sink of the one that goes out. */
export class Http2Stream implements Body, BodySink {
  readonly id: number
  /** Content-Length; undefined: it told none. 0: nothing comes. */
  length: number | undefined
  owner: StreamOwner
  /** What the peer lets us send. */
  sendWindow: number
  /** Payload bytes. */
  received = 0
  sent = 0
  /** Whole frames: all of the stream's HEADERS, CONTINUATION and DATA, and of them those of header blocks. */
  readonly wire: { -readonly [count in keyof WireBytes]: number } = {
    received: 0,
    sent: 0,
    headersReceived: 0,
    headersSent: 0,
    fieldsReceived: 0,
    fieldsSent: 0,
  }
  remoteEnded = false
  localEnded = false
  closed = false
  /** Whose data goes out: it is asked to go on when there is room. */
  source: Body | undefined
  readonly #connection: Http2Connection
  readonly #out: Outbound
  readonly #window: ReceiveWindow
  #sink: BodySink | undefined
  #paused = false
  /** Came while nobody could take it. */
  #incoming: HeldBytes | undefined
  #trailers: HeaderMap | undefined
  #finished = false
  #error: Error | undefined
  /** Waits for a window, or for the connection. */
  #queue: HeldBytes | undefined
  #ending = false
  #outgoingTrailers: HeaderMap | undefined
  #waiting = false

  constructor(id: number, connection: Http2Connection, owner: StreamOwner, sendWindow: number, receiveWindow: number) {
    this.id = id
    this.#connection = connection
    this.#out = connection.out
    this.owner = owner
    this.sendWindow = sendWindow
    this.#window = new ReceiveWindow(receiveWindow)
  }

  // ---- the body that comes in

  /** False: more than the window allows. */
  allow(bytes: number): boolean {
    return this.#window.received(bytes)
  }

  /** Bytes that nobody will take: padding, and what belongs to a body that is not wanted. */
  give(bytes: number): void {
    const increment = this.#window.consumed(bytes)
    if (increment > 0 && !this.remoteEnded && !this.closed) this.#connection.giveWindow(this.id, increment)
  }

  push(chunk: Buffer): void {
    this.received += chunk.length
    if (this.#sink === undefined || this.#paused || this.#incoming !== undefined) {
      this.#incoming ??= new HeldBytes()
      this.#incoming.append(chunk)
      return
    }
    this.#taken(chunk.length)
    if (!this.#sink.data(chunk)) this.#paused = true
  }

  /** The last byte has come. */
  finish(trailers: HeaderMap | undefined): void {
    this.#trailers = trailers
    this.#finished = true
    this.#deliver()
  }

  consume(sink: BodySink): void {
    this.#sink = sink
    if (this.#error !== undefined) {
      sink.abort(this.#error)
      return
    }
    this.#deliver()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#deliver()
  }

  discard(): void {
    this.#sink = DROP
    this.#paused = false
    this.#deliver()
  }

  /** Nobody wants the rest of it any more, or there is nobody left. */
  get unwanted(): boolean {
    return this.#sink === DROP
  }

  #deliver(): void {
    const sink = this.#sink
    if (sink === undefined) return
    if (this.#incoming !== undefined && !this.#paused) {
      const chunk = this.#incoming.take()
      this.#incoming = undefined
      this.#taken(chunk.length)
      if (!sink.data(chunk)) this.#paused = true
    }
    if (!this.#finished || this.#incoming !== undefined || this.#sink !== sink) return
    this.#sink = DROP
    sink.end(this.#trailers)
  }

  #taken(bytes: number): void {
    this.give(bytes)
    this.#connection.consumed(bytes)
  }

  // ---- the body that goes out

  data(chunk: Uint8Array): boolean {
    if (this.closed || this.#ending) return true
    const { length } = chunk
    this.sent += length
    let from = 0
    if (this.#queue === undefined) from = this.#out.data(this, chunk, 0)
    if (from === length) return true
    this.#queue ??= new HeldBytes()
    this.#queue.append(from === 0 ? chunk : chunk.subarray(from))
    this.#out.block(this)
    if (this.#queued() < ENOUGH_QUEUED) return true
    this.#waiting = true
    return false
  }

  /** What still waits: room may have come while the last chunk was put behind the others. */
  #queued(): number {
    return this.#queue?.length ?? 0
  }

  end(trailers?: HeaderMap): void {
    if (this.closed || this.#ending) return
    this.#ending = true
    this.#outgoingTrailers = trailers
    if (this.#queue === undefined) this.#sendEnd()
  }

  /** The sender of the body is gone: the peer must not take what it has for all. */
  abort(): void {
    this.#connection.reset(this, ERROR_CODE.internalError)
  }

  /** Sends one frame of what waits. False: nothing waits, or the stream's own window is closed. */
  pump(): boolean {
    const queue = this.#queue
    if (queue === undefined || this.closed) return false
    queue.skip(this.#out.data(this, queue.peek(), 0, DEFAULT_FRAME_SIZE))
    if (queue.length === 0) this.#queue = undefined
    if (this.#waiting && queue.length < ENOUGH_QUEUED / 2) {
      this.#waiting = false
      this.source?.resume()
    }
    if (this.#queue === undefined) {
      if (this.#ending && !this.localEnded) this.#sendEnd()
      return false
    }
    return this.sendWindow > 0
  }

  get blocked(): boolean {
    return this.#queue !== undefined
  }

  #sendEnd(): void {
    this.#out.end(this, this.#outgoingTrailers)
  }

  /** The peer wants no more of it. */
  stopSending(): void {
    this.#queue = undefined
    this.#ending = true
    const { source } = this
    this.source = undefined
    source?.discard()
  }

  /** Our side is over: with a HEADERS frame, or by {@link end}. */
  localEnd(): void {
    if (this.localEnded) return
    this.localEnded = true
    this.source = undefined
    this.owner.onLocalEnd()
  }

  /** Lets go of everything. The sink of the incoming body hears it unless it has heard the end. */
  release(error: Error): void {
    this.closed = true
    this.#queue = undefined
    const waiting = this.#incoming?.length ?? 0
    this.#incoming = undefined
    if (waiting > 0) this.#connection.consumed(waiting)
    const sink = this.#sink
    this.#sink = DROP
    if (this.#finished && waiting === 0 && sink === DROP) return
    this.#error = error
    sink?.abort(error)
  }
}
