import type { Connection } from '../../net/connection.js'
import type { Timer } from '../../net/timers.js'
import type { ServerHandler, ServerOptions, ServerSession } from '../codec.js'
import { createHeaderMap } from '../header-map.js'
import { Http2Connection, type Http2Side } from './connection.js'
import { Http2Error, NOT_ALLOWED, WRONG_LENGTH } from './error.js'
import { notAllowed } from './frame-reader.js'
import { ERROR_CODE, MAX_STREAM_ID } from './frames.js'
import { BAD_MESSAGE, INVALID_FIELD, type MessageHead, TOO_LARGE, TOO_MANY } from './message-head.js'
import { problemOfRequest } from './request-head.js'
import { createRefusedExchange, Http2ServerExchange } from './server-exchange.js'
import { Http2Stream } from './stream.js'

/** HTTP/2 towards clients (RFC 9113), with prior knowledge or after ALPN. */
export function serveHttp2(connection: Connection, options: ServerOptions, handler: ServerHandler): ServerSession {
  const session = new Session(connection, options, handler)
  session.begin()
  return session
}

class Session implements ServerSession, Http2Side {
  readonly isServer = true
  readonly #h2: Http2Connection
  readonly #options: ServerOptions
  readonly #handler: ServerHandler
  readonly #idle: Timer
  readonly #drainTimer: Timer
  #total = 0
  /** The client has been told that the connection will close. */
  #draining = false
  /** Streams above this one are refused. */
  #lastAccepted = MAX_STREAM_ID
  #failure: Http2Error | undefined

  constructor(connection: Connection, options: ServerOptions, handler: ServerHandler) {
    const { timers, http2, stats, defer, timeouts, maxHeadersKb, maxHeadersCount } = options
    this.#options = options
    this.#handler = handler
    this.#h2 = new Http2Connection(connection, this, {
      ...{ http2, timers, stats },
      limits: { maxBytes: maxHeadersKb * 1024, maxHeaders: maxHeadersCount },
      lingerMs: timeouts.delayedClose,
      ...(defer && { defer }),
    })
    this.#idle = timers.timer(() => this.drain(true))
    this.#drainTimer = timers.timer(() => this.#refuseFurther())
  }

  begin(): void {
    this.#h2.connection.handle(this.#h2)
    this.#h2.begin()
    this.#idle.start(this.#options.timeouts.idle)
  }

  get active(): number {
    return this.#h2.streams.size
  }

  get total(): number {
    return this.#total
  }

  /** What became of the whole connection, for requests that were under way. */
  get failure(): Http2Error | undefined {
    return this.#failure
  }

  /** In two steps (RFC 9113 §6.8): what is under way to us when the client hears it is still served. */
  drain(closeIdle: boolean): void {
    if (this.#h2.over) return
    if (closeIdle && this.#total === 0) {
      this.retire()
      return
    }
    if (this.#draining) return
    this.#draining = true
    this.#h2.sendGoaway(MAX_STREAM_ID, ERROR_CODE.noError)
    const { timeouts, drainJitterMs } = this.#options
    if (timeouts.drain > 0) this.#drainTimer.start(timeouts.drain + (drainJitterMs?.() ?? 0))
    else this.#refuseFurther()
  }

  retire(): void {
    this.#draining = true
    this.#refuseFurther()
  }

  destroy(error?: Error): void {
    this.#h2.destroy(error)
  }

  #refuseFurther(): void {
    if (this.#h2.over || this.#lastAccepted !== MAX_STREAM_ID) return
    this.#drainTimer.stop()
    this.#lastAccepted = this.#h2.streams.lastPeer
    this.#h2.sendGoaway(this.#lastAccepted, ERROR_CODE.noError)
    if (this.active === 0) this.#h2.finish()
  }

  onHeaders(streamId: number, head: MessageHead, endStream: boolean): void {
    const stream = this.#h2.streams.get(streamId)
    if (stream !== undefined) {
      this.#onTrailers(stream, head, endStream)
      return
    }
    if (this.#h2.streams.isStray(streamId)) return
    if ((streamId & 1) === 0) throw new Http2Error(ERROR_CODE.protocolError, 'a client opens odd streams', { tell: false })
    const { http2 } = this.#options
    if (streamId > this.#lastAccepted || this.active >= http2.maxConcurrentStreams) {
      this.#h2.refuse(streamId, ERROR_CODE.refusedStream)
      return
    }
    const problem = problemOfRequest(head, http2.allowConnect, endStream)
    if (problem === '') this.#begin(streamId, head, endStream)
    else this.#refuse(streamId, problem)
  }

  #begin(streamId: number, head: MessageHead, endStream: boolean): void {
    const { http2, scheme } = this.#options
    this.#idle.stop()
    this.#total++
    const exchange = new Http2ServerExchange(this.#h2, this, head, endStream, scheme)
    const stream = new Http2Stream(streamId, this.#h2, exchange, this.#h2.peer.initialWindowSize, http2.initialStreamWindowSize)
    this.#h2.streams.add(stream, true)
    this.#h2.countBlock(stream)
    exchange.begin(stream, endStream, head)
    if (!endStream && this.#options.proxy100Continue !== true) this.#answerExpectation(exchange)
    this.#handler.onRequest(exchange)
  }

  #answerExpectation(exchange: Http2ServerExchange): void {
    const { headers } = exchange.request
    if (headers.get('expect')?.toLowerCase() !== '100-continue') return
    headers.delete('expect')
    exchange.inform(100, createHeaderMap())
  }

  /** Too many, too large: the stream ends. Not allowed at all: the connection does, unless the options say otherwise. */
  #refuse(streamId: number, details: string): void {
    const { stats, http2 } = this.#options
    const overLimit = details === TOO_LARGE || details === TOO_MANY
    if (overLimit) stats.headerOverflow.inc()
    else stats.rxMessagingError.inc()
    const alone = overLimit || http2.streamErrorOnInvalidHttpMessage
    if (alone) this.#h2.refuse(streamId, overLimit ? ERROR_CODE.internalError : ERROR_CODE.protocolError)
    this.#total++
    this.#handler.onInvalid(createRefusedExchange(this.#options.scheme), { details, flag: overLimit ? 'DR' : 'DPE' })
    if (!alone) throw new Http2Error(ERROR_CODE.protocolError, 'a request is malformed', { tell: false, details })
  }

  #onTrailers(stream: Http2Stream, head: MessageHead, endStream: boolean): void {
    if (stream.remoteEnded) throw notAllowed('HEADERS after the end of a stream', ERROR_CODE.streamClosed, NOT_ALLOWED)
    const problem = head.problem !== '' ? head.problem : head.hasPseudo ? INVALID_FIELD : endStream ? '' : BAD_MESSAGE
    if (problem !== '') {
      this.#options.stats.rxMessagingError.inc()
      const alone = this.#options.http2.streamErrorOnInvalidHttpMessage || problem === TOO_LARGE || problem === TOO_MANY
      if (!alone) throw new Http2Error(ERROR_CODE.protocolError, 'trailers are malformed', { tell: false, details: problem })
      this.#h2.reset(stream, ERROR_CODE.protocolError, problem)
      return
    }
    const short = stream.length !== undefined && stream.received !== stream.length
    if (short) this.#h2.reset(stream, ERROR_CODE.protocolError, WRONG_LENGTH)
    else this.#h2.remoteEnd(stream, head.headers.size === 0 ? undefined : head.headers)
  }

  onGoaway(): void {
    this.#draining = true
    if (this.active === 0) this.#h2.finish()
  }

  onSettings(): void {}

  onStreamOver(): void {
    if (this.active > 0 || this.#h2.over) return
    if (this.#lastAccepted !== MAX_STREAM_ID) this.#h2.finish()
    else this.#idle.start(this.#options.timeouts.idle)
  }

  onFailure(error: Http2Error, blockOf: number): void {
    this.#failure = error
    if (blockOf === 0 || this.#h2.streams.has(blockOf)) return
    this.#handler.onInvalid(createRefusedExchange(this.#options.scheme), { details: error.details, flag: 'DPE' })
  }

  onClose(error?: Error): void {
    this.#idle.stop()
    this.#drainTimer.stop()
    this.#handler.onClose(error)
  }
}
