import type { Connection } from '../../net/connection.js'
import type { Timer } from '../../net/timers.js'
import type { ClientExchange, ClientExchangeEvents, ClientOptions, ClientSession, ClientSessionHandler } from '../codec.js'
import type { HttpRequest } from '../message.js'
import { Http2ClientExchange } from './client-exchange.js'
import { Http2Connection, type Http2Side } from './connection.js'
import { Http2Error } from './error.js'
import { ERROR_CODE, MAX_STREAM_ID } from './frames.js'
import type { MessageHead } from './message-head.js'
import { Http2Stream } from './stream.js'

/** How long an upstream that misbehaved may take to read our GOAWAY. */
const LINGER_MS = 100

/** HTTP/2 towards upstreams (RFC 9113): many requests at a time. */
export function connectHttp2(connection: Connection, options: ClientOptions, handler: ClientSessionHandler): ClientSession {
  const session = new Session(connection, options, handler)
  session.begin()
  return session
}

class Session implements ClientSession, Http2Side {
  readonly protocol = 'HTTP/2'
  readonly isServer = false
  readonly connection: Connection
  readonly #h2: Http2Connection
  readonly #options: ClientOptions
  readonly #handler: ClientSessionHandler
  readonly #idleProbe: Timer
  #nextId = 1
  #total = 0
  #draining = false
  #failed = false
  #wantsProbe = false

  constructor(connection: Connection, options: ClientOptions, handler: ClientSessionHandler) {
    const { timers, http2, stats, defer, maxHeadersKb, maxHeadersCount } = options
    this.connection = connection
    this.#options = options
    this.#handler = handler
    this.#idleProbe = timers.timer(() => {
      this.#wantsProbe = true
    })
    this.#h2 = new Http2Connection(connection, this, {
      ...{ http2, timers, stats },
      limits: { maxBytes: maxHeadersKb * 1024, maxHeaders: maxHeadersCount },
      lingerMs: LINGER_MS,
      ...(defer && { defer }),
    })
  }

  begin(): void {
    this.connection.handle(this.#h2)
    this.#h2.begin()
  }

  get active(): number {
    return this.#h2.streams.size
  }

  get total(): number {
    return this.#total
  }

  get available(): boolean {
    return !this.#draining && !this.#h2.over && this.active < this.#capacity() && this.#nextId < MAX_STREAM_ID
  }

  #capacity(): number {
    return Math.min(this.#h2.peer.maxConcurrentStreams, this.#options.http2.maxConcurrentStreams)
  }

  send(request: HttpRequest, events: ClientExchangeEvents): ClientExchange {
    this.#idleProbe.stop()
    if (this.#wantsProbe) this.#h2.probe()
    this.#wantsProbe = false
    this.#total++
    const exchange = new Http2ClientExchange(this.#h2, request, events)
    const stream = new Http2Stream(
      this.#nextId,
      this.#h2,
      exchange,
      this.#h2.peer.initialWindowSize,
      this.#options.http2.initialStreamWindowSize,
    )
    this.#nextId += 2
    this.#h2.streams.add(stream, false)
    exchange.start(stream)
    return exchange
  }

  drain(): void {
    this.#draining = true
    this.#closeIfIdle()
  }

  destroy(error?: Error): void {
    this.#draining = true
    this.#h2.destroy(error)
  }

  onHeaders(streamId: number, head: MessageHead, endStream: boolean): void {
    const stream = this.#h2.streams.get(streamId)
    if (stream !== undefined) (stream.owner as Http2ClientExchange).onHeaders(head, endStream)
    else if (!this.#h2.streams.isStray(streamId))
      throw new Http2Error(ERROR_CODE.protocolError, 'HEADERS on a stream that nobody opened')
  }

  onGoaway(lastStreamId: number): void {
    const first = !this.#draining
    this.#draining = true
    for (const stream of this.#h2.streams.all()) if (stream.id > lastStreamId) this.#h2.refused(stream)
    if (first) this.#handler.onDraining(this)
    this.#closeIfIdle()
  }

  onSettings(): void {
    if (this.available) this.#handler.onAvailable(this)
  }

  onStreamOver(): void {
    const idleMs = this.#options.http2.keepalive?.connectionIdleIntervalMs ?? 0
    if (this.active === 0 && idleMs > 0) this.#idleProbe.start(idleMs)
    if (this.#draining) this.#closeIfIdle()
    else if (this.available) this.#handler.onAvailable(this)
  }

  onFailure(): void {
    this.#failed = true
    this.#draining = true
    for (const stream of this.#h2.streams.all()) (stream.owner as Http2ClientExchange).failed = true
  }

  onClose(error?: Error): void {
    this.#draining = true
    this.#idleProbe.stop()
    this.#handler.onClose(this, error)
  }

  #closeIfIdle(): void {
    if (this.active > 0 || this.#h2.over) return
    if (!this.#failed) this.#h2.sendGoaway(0, ERROR_CODE.noError)
    this.#h2.finish()
  }
}
