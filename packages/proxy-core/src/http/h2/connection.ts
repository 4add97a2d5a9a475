import { CLOSE_REASON, closeFor } from '../../net/close-reason.js'
import type { Connection, ConnectionHandler } from '../../net/connection.js'
import type { Timer, Timers } from '../../net/timers.js'
import type { CodecStats } from '../codec.js'
import type { HeaderMap } from '../header-map.js'
import { Http2Error, NOT_ALLOWED, WRONG_LENGTH } from './error.js'
import { FloodGuard } from './flood-guard.js'
import { ReceiveWindow } from './flow-control.js'
import { FrameReader, type FrameSink, notAllowed } from './frame-reader.js'
import type { FrameWriter } from './frame-writer.js'
import { DEFAULT_WINDOW, ERROR_CODE, FLAG, FRAME, FRAME_HEADER_BYTES, MAX_WINDOW, PREFACE, SETTING } from './frames.js'
import { HeaderBlock } from './header-block.js'
import { Keepalive } from './keepalive.js'
import type { MessageHead, MessageLimits } from './message-head.js'
import type { Http2Options } from './options.js'
import { Outbound } from './outbound.js'
import { applySettings, initialPeerSettings, type PeerSettings, settingsPayload } from './settings.js'
import type { Http2Stream } from './stream.js'
import { StreamTable } from './stream-table.js'

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

/** One HTTP/2 connection (RFC 9113), of either side: what frames do to its streams, settings and windows, and the end of it. */
export class Http2Connection implements ConnectionHandler, FrameSink {
  readonly connection: Connection
  readonly streams: StreamTable
  readonly out: Outbound
  readonly peer: PeerSettings = initialPeerSettings()
  readonly guard: FloodGuard
  readonly stats: CodecStats
  readonly #options: Http2ConnectionOptions
  readonly #side: Http2Side
  readonly #writer: FrameWriter
  readonly #reader: FrameReader
  readonly #block: HeaderBlock
  readonly #window: ReceiveWindow
  readonly #keepalive: Keepalive | undefined
  /** Made at the end. */
  #linger: Timer | undefined
  #over = false

  constructor(connection: Connection, side: Http2Side, options: Http2ConnectionOptions) {
    const { http2, timers, stats, defer } = options
    this.connection = connection
    this.#side = side
    this.#options = options
    this.stats = stats
    this.guard = new FloodGuard(http2, stats, timers)
    this.streams = new StreamTable(side.isServer, this.guard, stats)
    this.out = new Outbound(connection, defer ?? queueMicrotask, this.guard, (stream) => this.#localEnd(stream))
    this.#writer = this.out.writer
    this.#block = new HeaderBlock(http2.hpackTableSize, options.limits, this.guard)
    this.#reader = new FrameReader(this, this.guard, this.#block, side.isServer)
    this.#window = new ReceiveWindow(http2.initialConnectionWindowSize)
    if (http2.keepalive !== undefined)
      this.#keepalive = new Keepalive(http2.keepalive, timers, {
        ping: (payload) => this.#writer.frame(FRAME.ping, 0, 0, payload),
        lost: () => {
          stats.keepaliveTimeout.inc()
          connection.localCloseReason = CLOSE_REASON.pingTimeout
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

  // ---- what comes in

  onData(bytes: Uint8Array): void {
    if (this.#over) return
    this.out.hold()
    try {
      this.#reader.read(bytes)
      this.guard.outbound(this.#writer.waitingFrames, this.#writer.waitingControlFrames)
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error
      this.fail(error)
    }
    this.out.release()
  }

  onEnd(): void {
    this.connection.destroy()
  }

  onDrain(): void {
    this.#writer.drained()
    this.out.pump()
  }

  onClose(error?: Error): void {
    this.#over = true
    this.out.stop()
    this.#keepalive?.stop()
    this.#linger?.stop()
    this.guard.stop()
    const gone = error ?? new Error('the peer has closed the connection')
    for (const stream of this.streams.all()) this.#drop(stream, ERROR_CODE.connectError, false, gone)
    this.#side.onClose(error)
  }

  // ---- frames

  heard(): void {
    this.#keepalive?.heard()
  }

  data(flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    const length = end - start
    const endStream = (flags & FLAG.endStream) !== 0
    const padding = (flags & FLAG.padded) === 0 ? 0 : 1 + (length === 0 ? 0 : bytes[start]!)
    if (padding > length) throw new Http2Error(ERROR_CODE.protocolError, 'padding is longer than its frame')
    if (!this.#window.received(length))
      throw new Http2Error(ERROR_CODE.flowControlError, 'the window of the connection is closed')
    const stream = this.streams.get(streamId)
    if (stream === undefined || stream.closed) {
      this.consumed(length)
      this.streams.checkStray(streamId, 'DATA')
      return
    }
    if (stream.remoteEnded) throw new Http2Error(ERROR_CODE.streamClosed, 'DATA after the end of a stream')
    stream.wire.received += FRAME_HEADER_BYTES + length
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
      this.reset(stream, ERROR_CODE.protocolError, WRONG_LENGTH)
      return
    }
    if (endStream) stream.remoteEnded = true
    if (to > from) stream.push(bytes.subarray(from, to))
    if (endStream) this.remoteEnd(stream, undefined)
  }

  headers(streamId: number, head: MessageHead, endStream: boolean): void {
    const stream = this.streams.get(streamId)
    if (stream !== undefined) this.countBlock(stream)
    this.#side.onHeaders(streamId, head, endStream)
  }

  /** The block that has come belongs to this stream. */
  countBlock(stream: Http2Stream): void {
    stream.wire.received += this.#block.bytes
    stream.wire.headersReceived += this.#block.bytes
    stream.wire.fieldsReceived += this.#block.head.bytes
  }

  rstStream(streamId: number, code: number): void {
    if (streamId === 0 || this.streams.isIdle(streamId)) throw notAllowed('RST_STREAM on an idle stream')
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

  settings(payload: Buffer): void {
    this.guard.idleFrame()
    const before = this.peer.initialWindowSize
    applySettings(this.peer, payload, !this.#side.isServer)
    this.out.setMaxTableSize(this.peer.headerTableSize)
    this.#writer.control(FRAME.settings, FLAG.ack, 0, NOTHING)
    const change = this.peer.initialWindowSize - before
    if (change !== 0) this.#changeWindows(change)
    this.#side.onSettings()
  }

  ping(payload: Buffer): void {
    this.guard.idleFrame()
    this.#writer.control(FRAME.ping, FLAG.ack, 0, payload)
  }

  goaway(lastStreamId: number, code: number): void {
    this.#side.onGoaway(lastStreamId, code)
  }

  /** RFC 9113 §6.9.2: windows may become negative. */
  #changeWindows(change: number): void {
    for (const stream of this.streams.all()) {
      stream.sendWindow += change
      if (stream.sendWindow > MAX_WINDOW) throw new Http2Error(ERROR_CODE.flowControlError, 'a window is too large')
      if (change > 0) this.out.unblock(stream)
    }
  }

  windowUpdate(streamId: number, increment: number): void {
    this.guard.windowUpdate()
    if (streamId === 0) {
      if (increment === 0) throw notAllowed('WINDOW_UPDATE of 0')
      this.out.grow(increment)
      return
    }
    const stream = this.streams.get(streamId)
    if (stream === undefined) {
      if (this.streams.isIdle(streamId)) throw notAllowed('WINDOW_UPDATE on an idle stream')
      return
    }
    stream.sendWindow += increment
    if (increment === 0) this.#violated(stream, ERROR_CODE.protocolError)
    else if (stream.sendWindow > MAX_WINDOW) this.#violated(stream, ERROR_CODE.flowControlError)
    else this.out.unblock(stream)
  }

  // ---- streams

  /** A stream of the peer that is refused before anybody sees it. */
  refuse(streamId: number, code: number): void {
    this.streams.refuse(streamId)
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

  /** Ends a stream before its time. `details`: what is wrong with what came, in Envoy's words. */
  reset(stream: Http2Stream, code: number, details?: string): void {
    if (stream.closed) return
    this.stats.txReset.inc()
    this.streams.wasReset(stream.id)
    this.#writer.number(FRAME.rstStream, stream.id, code)
    const error = details === undefined ? undefined : new Http2Error(code, 'the peer breaks the rules', { details })
    this.#drop(stream, code, false, error)
  }

  /** A frame that its stream does not allow. Envoy's server gives the connection up for it, unless the options say otherwise. */
  #violated(stream: Http2Stream, code: number): void {
    if (!this.#side.isServer || this.#options.http2.streamErrorOnInvalidHttpMessage) this.reset(stream, code, NOT_ALLOWED)
    else throw notAllowed('a frame that its stream does not allow', code, NOT_ALLOWED)
  }

  /** Ours is said; the peer need not go on (RFC 9113 §8.1). Its owner is content. */
  closeEarly(stream: Http2Stream): void {
    if (stream.closed) return
    this.streams.wasReset(stream.id)
    this.#writer.number(FRAME.rstStream, stream.id, ERROR_CODE.noError)
    stream.release(new Error('the exchange is over'))
    this.#forget(stream)
  }

  /** The answer has come whole before the request was: what came is kept, nothing more is sent. */
  closeSending(stream: Http2Stream): void {
    this.streams.wasReset(stream.id)
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
    this.out.forget(stream)
    if (this.streams.delete(stream)) this.#side.onStreamOver(stream)
  }

  #localEnd(stream: Http2Stream): void {
    stream.localEnd()
    if (stream.remoteEnded) this.#forget(stream)
  }

  /** Lets the peer send more; stream 0: on the whole connection. */
  giveWindow(streamId: number, increment: number): void {
    this.#writer.number(FRAME.windowUpdate, streamId, increment)
  }

  /** Bytes that came have been taken, or will never be. */
  consumed(bytes: number): void {
    const increment = this.#window.consumed(bytes)
    if (increment > 0 && !this.#over) this.giveWindow(0, increment)
  }

  /** Asks whether the peer is still there, where keepalive is on. */
  probe(): void {
    this.#keepalive?.probe()
  }

  // ---- the end

  sendGoaway(lastStreamId: number, code: number): void {
    if (this.#over) return
    const payload = Buffer.alloc(8)
    payload.writeUInt32BE(lastStreamId, 0)
    payload.writeUInt32BE(code, 4)
    this.stats.goawaySent.inc()
    this.#writer.frame(FRAME.goaway, 0, 0, payload)
  }

  fail(error: Http2Error): void {
    if (this.#over) return
    if (error.tell) this.sendGoaway(this.streams.lastPeer, error.errorCode)
    this.#side.onFailure(error, this.#block.failing)
    if (error.tell) this.finish()
    else this.destroy()
  }

  /** Closes after what was written, and gives the peer time to read it. */
  finish(): void {
    if (this.#over) return
    this.#over = true
    this.out.stop()
    this.#keepalive?.stop()
    this.#writer.flush()
    this.connection.end()
    const { lingerMs, timers } = this.#options
    if (lingerMs > 0) {
      this.#linger ??= timers.timer(() => closeFor(this.connection, CLOSE_REASON.delayed))
      this.#linger.start(lingerMs)
    } else this.connection.destroy()
    for (const stream of this.streams.all())
      this.#drop(stream, ERROR_CODE.connectError, false, new Error('the connection is over'))
  }

  destroy(error?: Error): void {
    this.#writer.flush()
    this.#over = true
    this.out.stop()
    this.connection.destroy(error)
  }

  flush(): void {
    this.#writer.flush()
  }
}

const NOTHING = Buffer.alloc(0)
