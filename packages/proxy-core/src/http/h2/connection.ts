import type { Connection, ConnectionHandler } from '../../net/connection.js'
import { asBuffer, HeldBytes } from '../../net/held-bytes.js'
import type { Timer, Timers } from '../../net/timers.js'
import type { CodecStats } from '../codec.js'
import type { HeaderMap } from '../header-map.js'
import { Http2Error } from './error.js'
import { FloodGuard } from './flood-guard.js'
import { ReceiveWindow } from './flow-control.js'
import { Fields, FrameWriter } from './frame-writer.js'
import {
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  ERROR_CODE,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_WINDOW,
  PREFACE,
  SETTING,
} from './frames.js'
import { HeaderBlock } from './header-block.js'
import { createHpackEncoder } from './hpack-encoder.js'
import { Keepalive } from './keepalive.js'
import type { MessageHead, MessageLimits } from './message-head.js'
import type { Http2Options } from './options.js'
import { applySettings, initialPeerSettings, type PeerSettings, settingsPayload } from './settings.js'
import type { Http2Stream } from './stream.js'

export interface Http2ConnectionOptions {
  readonly http2: Http2Options
  readonly limits: MessageLimits
  readonly timers: Timers
  readonly stats: CodecStats
  readonly defer?: (run: () => void) => void
  /** How long a connection that ends with a GOAWAY waits for its peer to read it; milliseconds. */
  readonly lingerMs: number
}

/** What a server and a client do differently. */
export interface Http2Side {
  readonly isServer: boolean
  /** A block that belongs to a stream, or opens one; `head` is valid until the next. */
  onHeaders(streamId: number, head: MessageHead, endStream: boolean): void
  /** The peer closes; streams above `lastStreamId` were not heard. */
  onGoaway(lastStreamId: number, code: number): void
  /** The peer's settings have changed. */
  onSettings(): void
  /** A stream is over, in whatever way, and is not among `streams` any more. */
  onStreamOver(stream: Http2Stream): void
  /** The connection fails; `blockOf`: in the middle of, or by, the header block of this stream. */
  onFailure(error: Http2Error, blockOf: number): void
  onClose(error?: Error): void
}

const fields = new Fields()
/** Streams that we reset: frames for them are still under way. */
const MAX_REMEMBERED = 2048

/** One HTTP/2 connection (RFC 9113), of either side: frames, settings, windows, and the end of it. */
export class Http2Connection implements ConnectionHandler {
  readonly connection: Connection
  readonly streams: Map<number, Http2Stream> = new Map()
  readonly peer: PeerSettings = initialPeerSettings()
  readonly guard: FloodGuard
  readonly stats: CodecStats
  readonly #options: Http2ConnectionOptions
  readonly #side: Http2Side
  readonly #writer: FrameWriter
  readonly #held = new HeldBytes()
  readonly #block: HeaderBlock
  readonly #encoder = createHpackEncoder()
  readonly #window: ReceiveWindow
  readonly #blocked = new Set<Http2Stream>()
  readonly #resetHere = new Set<number>()
  readonly #keepalive: Keepalive | undefined
  readonly #linger: Timer
  #sendWindow = DEFAULT_WINDOW
  #prefaceLeft: number
  #settled = false
  #lastPeerStream = 0
  #lastOwnStream = 0
  /** Streams that the peer has opened. */
  #peerStreams = 0
  #over = false
  #pumping = false

  constructor(connection: Connection, side: Http2Side, options: Http2ConnectionOptions) {
    const { http2, timers, stats, defer } = options
    this.connection = connection
    this.#side = side
    this.#options = options
    this.stats = stats
    this.guard = new FloodGuard(http2, stats, timers)
    this.#writer = new FrameWriter(connection, defer ?? queueMicrotask)
    this.#block = new HeaderBlock(http2.hpackTableSize, options.limits, this.guard)
    this.#window = new ReceiveWindow(http2.initialConnectionWindowSize)
    this.#prefaceLeft = side.isServer ? PREFACE.length : 0
    this.#linger = timers.timer(() => connection.destroy())
    if (http2.keepalive !== undefined)
      this.#keepalive = new Keepalive(http2.keepalive, timers, {
        ping: (payload) => this.#writer.frame(FRAME.ping, 0, 0, payload),
        lost: () => {
          stats.keepaliveTimeout.inc()
          this.destroy(new Error('the peer has not answered a PING in time'))
        },
      })
  }

  /** Says hello; the connection must have been given its handler. */
  begin(): void {
    const { http2, limits } = this.#options
    if (!this.#side.isServer) this.#writer.bytes(Buffer.from(PREFACE, 'latin1'))
    const settings: [number, number][] = [
      [SETTING.initialWindowSize, http2.initialStreamWindowSize],
      [SETTING.maxHeaderListSize, limits.maxBytes + limits.maxHeaders * 32],
    ]
    if (this.#side.isServer) settings.push([SETTING.maxConcurrentStreams, http2.maxConcurrentStreams])
    if (http2.hpackTableSize !== 4096) settings.push([SETTING.headerTableSize, http2.hpackTableSize])
    if (!this.#side.isServer) settings.push([SETTING.enablePush, 0])
    else if (http2.allowConnect) settings.push([SETTING.enableConnectProtocol, 1])
    this.#writer.frame(FRAME.settings, 0, 0, settingsPayload(settings))
    const extra = http2.initialConnectionWindowSize - DEFAULT_WINDOW
    if (extra > 0) this.#writer.number(FRAME.windowUpdate, 0, extra)
    this.#keepalive?.start()
  }

  get over(): boolean {
    return this.#over
  }

  /** Of the streams that the peer has opened, the newest. */
  get lastPeerStream(): number {
    return this.#lastPeerStream
  }

  // ---- what comes in

  onData(bytes: Uint8Array): void {
    if (this.#over) return
    let buffer = asBuffer(bytes)
    if (this.#held.length > 0) {
      this.#held.append(bytes)
      buffer = this.#held.take()
    }
    this.#pumping = true
    let at = 0
    try {
      at = this.#read(buffer)
      this.guard.outbound(this.#writer.waitingFrames, this.#writer.waitingControlFrames)
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error
      this.fail(error)
    }
    this.#pumping = false
    if (this.#over) return
    if (at < buffer.length) this.#held.append(at === 0 ? buffer : buffer.subarray(at))
    if (this.#blocked.size > 0) this.#pump()
  }

  onEnd(): void {
    this.connection.destroy()
  }

  onDrain(): void {
    this.#writer.drained()
    this.#pump()
  }

  onClose(error?: Error): void {
    this.#over = true
    this.#keepalive?.stop()
    this.#linger.stop()
    this.guard.stop()
    const gone = error ?? new Error('the peer has closed the connection')
    for (const stream of [...this.streams.values()]) this.#drop(stream, ERROR_CODE.connectError, false, gone)
    this.#side.onClose(error)
  }

  /** Reads whole frames; returns where the first incomplete one begins. */
  #read(bytes: Buffer): number {
    let at = this.#readPreface(bytes)
    while (bytes.length - at >= FRAME_HEADER_BYTES && !this.#over) {
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
      throw new Http2Error(ERROR_CODE.protocolError, 'the connection does not begin with the preface of HTTP/2')
    this.#prefaceLeft -= length
    return length
  }

  #frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.#keepalive?.heard()
    if (!this.#settled && type !== FRAME.settings) throw protocolError('the first frame must be SETTINGS')
    if (this.#block.open && (type !== FRAME.continuation || streamId !== this.#block.streamId))
      throw protocolError('a header block is interrupted')
    switch (type) {
      case FRAME.data:
        this.#data(flags, streamId, bytes, start, end)
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
        this.guard.priority()
        this.#checkPriority(streamId, bytes, start)
        return
      case FRAME.rstStream:
        expectSize(end - start, 4)
        this.#rstStream(streamId, bytes.readUInt32BE(start))
        return
      case FRAME.settings:
        this.#settings(flags, streamId, bytes.subarray(start, end))
        return
      case FRAME.ping:
        expectSize(end - start, 8)
        if (streamId !== 0) throw notAllowed('PING on a stream')
        if ((flags & FLAG.ack) !== 0) return
        this.guard.idleFrame()
        this.#writer.control(FRAME.ping, FLAG.ack, 0, bytes.subarray(start, end))
        return
      case FRAME.goaway:
        if (end - start < 8) throw sizeError()
        if (streamId !== 0) throw notAllowed('GOAWAY on a stream')
        this.#side.onGoaway(bytes.readUInt32BE(start) & 0x7fffffff, bytes.readUInt32BE(start + 4))
        return
      case FRAME.windowUpdate:
        expectSize(end - start, 4)
        this.#windowUpdate(streamId, bytes.readUInt32BE(start) & 0x7fffffff)
        return
      case FRAME.pushPromise:
        throw notAllowed('PUSH_PROMISE')
    }
  }

  #data(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start
    const endStream = (flags & FLAG.endStream) !== 0
    this.guard.messageFrame(length === 0 && !endStream)
    if (streamId === 0) throw protocolError('DATA on stream 0')
    const padding = (flags & FLAG.padded) === 0 ? 0 : 1 + (length === 0 ? 0 : bytes[start]!)
    if (padding > length) throw protocolError('padding is longer than its frame')
    if (!this.#window.received(length))
      throw new Http2Error(ERROR_CODE.flowControlError, 'the window of the connection is closed')
    const stream = this.streams.get(streamId)
    if (stream === undefined || stream.closed) {
      this.consumed(length)
      this.#strayFrame(streamId, 'DATA')
      return
    }
    if (stream.remoteEnded) throw new Http2Error(ERROR_CODE.streamClosed, 'DATA after the end of a stream')
    if (!stream.allow(length)) {
      this.consumed(length)
      this.reset(stream, ERROR_CODE.flowControlError)
      return
    }
    if (padding > 0) {
      this.consumed(padding)
      stream.give(padding)
    }
    const from = padding === 0 ? start : start + 1
    const to = padding === 0 ? end : end - padding + 1
    const told = stream.length
    if (told !== undefined && (stream.received + to - from > told || (endStream && stream.received + to - from < told))) {
      this.consumed(to - from)
      this.reset(stream, ERROR_CODE.protocolError)
      return
    }
    if (endStream) stream.remoteEnded = true
    if (to > from) stream.push(bytes.subarray(from, to))
    if (endStream) this.remoteEnd(stream, undefined)
  }

  #headers(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.guard.messageFrame(end === start && (flags & FLAG.endStream) === 0)
    if (streamId === 0) throw notAllowed('HEADERS on stream 0')
    let from = start
    let to = end
    if ((flags & FLAG.padded) !== 0) to -= bytes[from++] ?? 0
    if ((flags & FLAG.priority) !== 0) {
      if (to - from >= 5) this.#checkPriority(streamId, bytes, from)
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
    this.#side.onHeaders(streamId, head, endStream)
  }

  #checkPriority(streamId: number, bytes: Buffer, at: number): void {
    if (streamId === 0) throw notAllowed('PRIORITY on stream 0')
    if ((bytes.readUInt32BE(at) & 0x7fffffff) === streamId) throw notAllowed('a stream depends on itself')
  }

  #rstStream(streamId: number, code: number): void {
    if (streamId === 0 || this.isIdle(streamId)) throw notAllowed('RST_STREAM on an idle stream')
    const stream = this.streams.get(streamId)
    if (stream === undefined) return
    this.stats.rxReset.inc()
    if (this.#side.isServer) this.guard.reset()
    else if (stream.remoteEnded) {
      // RFC 9113 §8.1: the answer is whole; the rest of the request is not wanted.
      stream.stopSending()
      stream.localEnd()
      this.#forget(stream)
      return
    }
    this.#drop(stream, code, true)
  }

  #settings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw notAllowed('SETTINGS on a stream')
    if ((flags & FLAG.ack) !== 0) {
      if (payload.length !== 0) throw sizeError()
      return
    }
    if (payload.length % 6 !== 0) throw sizeError()
    this.#settled = true
    this.guard.idleFrame()
    const before = this.peer.initialWindowSize
    applySettings(this.peer, payload, !this.#side.isServer)
    this.#encoder.setMaxTableSize(this.peer.headerTableSize)
    this.#writer.control(FRAME.settings, FLAG.ack, 0, NOTHING)
    const change = this.peer.initialWindowSize - before
    if (change !== 0) this.#changeWindows(change)
    this.#side.onSettings()
  }

  /** RFC 9113 §6.9.2: windows may become negative. */
  #changeWindows(change: number): void {
    for (const stream of this.streams.values()) {
      stream.sendWindow += change
      if (stream.sendWindow > MAX_WINDOW) throw new Http2Error(ERROR_CODE.flowControlError, 'a window is too large')
      if (change > 0 && stream.blocked) this.#blocked.add(stream)
    }
  }

  #windowUpdate(streamId: number, increment: number): void {
    this.guard.windowUpdate()
    if (streamId === 0) {
      if (increment === 0) throw notAllowed('WINDOW_UPDATE of 0')
      this.#sendWindow += increment
      if (this.#sendWindow > MAX_WINDOW) throw notAllowed('a window is too large', ERROR_CODE.flowControlError)
      return
    }
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw notAllowed('WINDOW_UPDATE on an idle stream')
      return
    }
    stream.sendWindow += increment
    if (increment === 0) this.reset(stream, ERROR_CODE.protocolError)
    else if (stream.sendWindow > MAX_WINDOW) this.reset(stream, ERROR_CODE.flowControlError)
    else if (stream.blocked) this.#blocked.add(stream)
  }

  /** Frames for a stream that is not there: still under way when we reset it, or not allowed. */
  #strayFrame(streamId: number, what: string): void {
    if (this.isIdle(streamId)) throw protocolError(`${what} on an idle stream`)
    if (!this.#resetHere.has(streamId)) throw new Http2Error(ERROR_CODE.streamClosed, `${what} on a closed stream`)
  }

  /** HEADERS for a stream that is over. False: it must be a new one. */
  isStray(streamId: number): boolean {
    if (this.#resetHere.has(streamId)) return true
    if (this.isIdle(streamId)) return false
    // Where none was left out, every lower one was open once.
    const skipped = this.#peerStreams * 2 <= this.#lastPeerStream
    const code = skipped ? ERROR_CODE.protocolError : ERROR_CODE.streamClosed
    throw new Http2Error(code, 'HEADERS on a stream that is closed')
  }

  /** No frame has opened it yet. */
  isIdle(streamId: number): boolean {
    const ofPeer = (streamId & 1) === (this.#side.isServer ? 1 : 0)
    return ofPeer ? streamId > this.#lastPeerStream : streamId > this.#lastOwnStream
  }

  // ---- streams

  add(stream: Http2Stream, byPeer: boolean): void {
    if (byPeer) {
      this.#lastPeerStream = stream.id
      this.#peerStreams++
    } else this.#lastOwnStream = stream.id
    this.guard.streams++
    this.stats.streamsActive.add(1)
    this.streams.set(stream.id, stream)
  }

  /** A stream of the peer that is refused before anybody sees it. */
  refuse(streamId: number, code: number): void {
    this.#lastPeerStream = Math.max(this.#lastPeerStream, streamId)
    this.#peerStreams++
    this.#remember(streamId)
    this.stats.txReset.inc()
    this.#writer.number(FRAME.rstStream, streamId, code)
  }

  /** END_STREAM has come, after the body or with trailers. */
  remoteEnd(stream: Http2Stream, trailers: HeaderMap | undefined): void {
    stream.remoteEnded = true
    if (trailers !== undefined) this.stats.trailers.inc()
    stream.owner.onRemoteEnd()
    stream.finish(trailers)
    if (stream.localEnded) this.#forget(stream)
  }

  /** Ends a stream before its time. */
  reset(stream: Http2Stream, code: number): void {
    if (stream.closed) return
    this.stats.txReset.inc()
    this.#remember(stream.id)
    this.#writer.number(FRAME.rstStream, stream.id, code)
    this.#drop(stream, code, false)
  }

  /** Ours is said; the peer need not go on (RFC 9113 §8.1). Its owner is content. */
  closeEarly(stream: Http2Stream): void {
    if (stream.closed) return
    this.#remember(stream.id)
    this.#writer.number(FRAME.rstStream, stream.id, ERROR_CODE.noError)
    stream.release(new Error('the exchange is over'))
    this.#forget(stream)
  }

  /** The answer has come whole before the request was: what came is kept, nothing more is sent. */
  closeSending(stream: Http2Stream): void {
    this.#remember(stream.id)
    this.stats.txReset.inc()
    this.#writer.number(FRAME.rstStream, stream.id, ERROR_CODE.cancel)
    stream.localEnd()
    this.#forget(stream)
  }

  /** The peer has not heard of this stream: it may be sent again elsewhere. */
  refused(stream: Http2Stream): void {
    this.#drop(stream, ERROR_CODE.refusedStream, true)
  }

  #drop(stream: Http2Stream, code: number, byPeer: boolean, error?: Error): void {
    if (stream.closed) return
    stream.closed = true
    // The owner first: it knows better what shall be seen than a body that just breaks off.
    stream.owner.onReset(code, byPeer, error)
    stream.release(error ?? new Error('the stream was reset'))
    this.#forget(stream)
  }

  #forget(stream: Http2Stream): void {
    stream.closed = true
    this.#blocked.delete(stream)
    if (!this.streams.delete(stream.id)) return
    this.stats.streamsActive.add(-1)
    this.#side.onStreamOver(stream)
  }

  #remember(streamId: number): void {
    this.#resetHere.add(streamId)
    if (this.#resetHere.size <= MAX_REMEMBERED) return
    for (const oldest of this.#resetHere) {
      this.#resetHere.delete(oldest)
      return
    }
  }

  // ---- what goes out

  /** Fields of the next block; empty. */
  startFields(): Fields {
    return fields.clear()
  }

  sendHeaders(stream: Http2Stream, block: Fields, endStream: boolean): void {
    if (stream.closed) return
    this.#writer.headers(stream.id, this.#encoder, block, endStream)
    if (endStream) this.#localEnd(stream)
  }

  /** Writes what the windows and the connection allow, `most` bytes at most; returns how many. */
  sendData(stream: Http2Stream, chunk: Uint8Array, from: number, most: number = chunk.length): number {
    if (this.#writer.full) return 0
    const length = Math.min(chunk.length - from, most, this.#sendWindow, stream.sendWindow)
    if (length <= 0) return 0
    for (let at = 0; at < length; at += DEFAULT_FRAME_SIZE) {
      this.guard.dataFrames++
      this.#writer.data(stream.id, chunk, from + at, from + Math.min(length, at + DEFAULT_FRAME_SIZE))
    }
    this.#sendWindow -= length
    stream.sendWindow -= length
    return length
  }

  sendEnd(stream: Http2Stream, trailers: HeaderMap | undefined): void {
    if (trailers === undefined || trailers.size === 0) {
      this.#writer.endData(stream.id)
      this.#localEnd(stream)
      return
    }
    const block = this.startFields()
    for (let i = 0; i < trailers.size; i++) block.add(trailers.nameAt(i), trailers.valueAt(i))
    this.sendHeaders(stream, block, true)
  }

  #localEnd(stream: Http2Stream): void {
    stream.localEnd()
    if (stream.remoteEnded) this.#forget(stream)
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#writer.number(FRAME.windowUpdate, streamId, increment)
  }

  /** Bytes that came have been taken, or will never be. */
  consumed(bytes: number): void {
    const increment = this.#window.consumed(bytes)
    if (increment > 0 && !this.#over) this.windowUpdate(0, increment)
  }

  /** The stream has more to send than its windows allow. */
  block(stream: Http2Stream): void {
    if (stream.sendWindow > 0) this.#blocked.add(stream)
    if (!this.#pumping) this.#pump()
  }

  /** A frame of each stream in turn, while there is room. */
  #pump(): void {
    for (const stream of this.#blocked) {
      if (this.#sendWindow <= 0 || this.#writer.full || this.#over) return
      this.#blocked.delete(stream)
      if (stream.pump()) this.#blocked.add(stream)
    }
  }

  ping(): void {
    this.#keepalive?.probe()
  }

  // ---- the end

  goaway(lastStreamId: number, code: number): void {
    if (this.#over) return
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(lastStreamId, 0)
    payload.writeUInt32BE(code, 4)
    this.stats.goawaySent.inc()
    this.#writer.frame(FRAME.goaway, 0, 0, payload)
  }

  fail(error: Http2Error): void {
    if (this.#over) return
    if (error.tell) this.goaway(this.#lastPeerStream, error.errorCode)
    this.#side.onFailure(error, this.#block.failing)
    if (error.tell) this.finish()
    else this.destroy()
  }

  /** Closes after what was written, and gives the peer time to read it. */
  finish(): void {
    if (this.#over) return
    this.#over = true
    this.#keepalive?.stop()
    this.#writer.flush()
    this.connection.end()
    if (this.#options.lingerMs > 0) this.#linger.start(this.#options.lingerMs)
    else this.connection.destroy()
    for (const stream of [...this.streams.values()])
      this.#drop(stream, ERROR_CODE.connectError, false, new Error('the connection is over'))
  }

  destroy(error?: Error): void {
    this.#writer.flush()
    this.#over = true
    this.connection.destroy(error)
  }

  flush(): void {
    this.#writer.flush()
  }
}

const NOTHING = Buffer.alloc(0)

function protocolError(message: string): Http2Error {
  return new Http2Error(ERROR_CODE.protocolError, message)
}

function notAllowed(message: string, code: number = ERROR_CODE.protocolError): Http2Error {
  return new Http2Error(code, message, { tell: false })
}

function sizeError(): Http2Error {
  return new Http2Error(ERROR_CODE.frameSizeError, 'a frame has a size that it cannot have')
}

function expectSize(actual: number, expected: number): void {
  if (actual !== expected) throw sizeError()
}
