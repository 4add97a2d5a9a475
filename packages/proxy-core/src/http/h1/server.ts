import { CLOSE_REASON, closeFor } from '../../net/close-reason.js'
import type { Connection, ConnectionHandler } from '../../net/connection.js'
import { asBuffer, HeldBytes } from '../../net/held-bytes.js'
import type { Timer } from '../../net/timers.js'
import { emptyBody } from '../body.js'
import type { ServerHandler, ServerOptions, ServerSession } from '../codec.js'
import { createHeaderMap } from '../header-map.js'
import type { HttpRequest } from '../message.js'
import { BodyFraming, type BodyKind } from './framing.js'
import { CODEC_ERROR, type Head, type HeadLimits, LOW_VERSION, parseRequestHead } from './head.js'
import { type BodySource, IncomingBody } from './incoming-body.js'
import { type Http1CodecOptions, NO_HTTP1_OPTIONS } from './options.js'
import { Http1ServerExchange as Exchange, type ExchangeHome } from './server-exchange.js'
import { reasonOf } from './status-line.js'
import { readTarget } from './target.js'
import { Writer } from './writer.js'

/** HTTP/1.1 towards clients: one request at a time, the next ones wait in the socket (RFC 9112). */
export function serveHttp1(connection: Connection, options: ServerOptions, handler: ServerHandler): ServerSession {
  const session = new Session(connection, options, handler)
  connection.handle(session)
  return session
}

const LF = 10
/** Where they are dropped only their bytes count. */
const MAX_DROPPED_TRAILERS = 10_000

interface Refusal {
  readonly status: number
  readonly details: string
  /** Of what is no error of the codec: a text of its own, and no flag. */
  readonly body?: string
}

const HEADER_TIMEOUT: Refusal = { status: 408, details: 'request_header_timeout', body: 'request header timeout' }

class Session implements ServerSession, ExchangeHome, ConnectionHandler, BodySource {
  readonly writer: Writer
  readonly http1: Http1CodecOptions
  readonly framing = new BodyFraming()
  readonly #connection: Connection
  readonly #options: ServerOptions
  readonly #handler: ServerHandler
  readonly #limits: HeadLimits
  readonly #held = new HeldBytes()
  readonly #idle: Timer
  readonly #headers: Timer
  /** Made at the end. */
  #linger: Timer | undefined
  #exchange: Exchange | undefined
  #pumping = false
  #total = 0
  #draining = false
  /** No more requests are read: the last response is out, or on its way. */
  #closing = false

  constructor(connection: Connection, options: ServerOptions, handler: ServerHandler) {
    this.#connection = connection
    this.#options = options
    this.#handler = handler
    this.http1 = options.http1 ?? NO_HTTP1_OPTIONS
    this.#limits = { maxBytes: options.maxHeadersKb * 1024, maxHeaders: options.maxHeadersCount, http1: this.http1 }
    this.writer = new Writer(connection, options.defer)
    this.#idle = options.timers.timer(() => {
      connection.localCloseReason = CLOSE_REASON.idle
      this.#shutdown()
    })
    this.#headers = options.timers.timer(() => this.#refuse(HEADER_TIMEOUT))
    this.#idle.start(options.timeouts.idle)
  }

  get active(): number {
    return this.#exchange === undefined ? 0 : 1
  }

  get total(): number {
    return this.#total
  }

  get keepsTrailers(): boolean {
    return this.#options.enableTrailers
  }

  get draining(): boolean {
    return this.#draining
  }

  drain(closeIdle: boolean): void {
    this.#draining = true
    if (closeIdle && this.#exchange === undefined && this.#held.length === 0) this.#shutdown()
  }

  retire(): void {
    this.#draining = true
    if (this.#exchange !== undefined || this.#closing) return
    this.#headers.stop()
    this.#shutdown()
  }

  destroy(error?: Error): void {
    this.writer.flush()
    this.#connection.destroy(error)
  }

  onData(bytes: Uint8Array): void {
    if (this.#closing) return
    if (this.#held.length === 0) {
      this.#pump(asBuffer(bytes))
      return
    }
    this.#held.append(bytes)
    // A head that came in pieces is read again only when a line of it is complete.
    const waitsForHead = this.#exchange === undefined
    if (waitsForHead && bytes.indexOf(LF) < 0 && this.#held.length <= this.#limits.maxBytes) return
    this.#pump(this.#held.take())
  }

  /** Envoy's reading of a half-close: the client is gone. */
  onEnd(): void {
    this.writer.flush()
    if (this.#exchange === undefined && !this.#closing) this.#connection.end()
    this.#connection.destroy()
  }

  onDrain(): void {
    this.writer.drained()
    this.#exchange?.onDrain()
  }

  onClose(error?: Error): void {
    this.#closing = true
    this.#idle.stop()
    this.#headers.stop()
    this.#linger?.stop()
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.onConnectionClose(error)
    this.#handler.onClose(error)
  }

  flow(): void {
    if (this.#pumping) return
    if (this.#held.length > 0) this.#pump(this.#held.take())
    if (this.#held.length === 0) this.#connection.resume()
  }

  stop(): void {
    this.#connection.pause()
  }

  /** Reads on as far as what came allows. */
  #pump(bytes: Buffer): void {
    this.#pumping = true
    let at = 0
    while (!this.#closing) {
      const exchange = this.#exchange
      const stopped = exchange === undefined ? this.#readHead(bytes, at) : this.#readBody(exchange, bytes, at)
      if (stopped < 0) break
      at = stopped
    }
    this.#pumping = false
  }

  /** Where to go on, or -1: nothing more can be done with these bytes. */
  #readHead(bytes: Buffer, at: number): number {
    if (at >= bytes.length) return -1
    const head = parseRequestHead(bytes, at, bytes.length, this.#limits)
    if (head === 'more') {
      this.#held.append(at === 0 ? bytes : bytes.subarray(at))
      if (!this.#headers.running) this.#headers.start(this.#options.timeouts.headers)
      return -1
    }
    if ('details' in head) {
      this.#refuse(head)
      return -1
    }
    this.#begin(head)
    return at + head.size
  }

  #readBody(exchange: Exchange, bytes: Buffer, at: number): number {
    if (at >= bytes.length) return -1
    const body = exchange.incoming
    if (body === undefined || this.framing.done || !body.flowing) {
      // The next request of a pipeline, or a body that nobody takes yet.
      this.#held.append(bytes.subarray(at))
      this.#connection.pause()
      return -1
    }
    const next = this.framing.eat(bytes, at, bytes.length)
    if (next < 0) {
      this.#brokenBody(exchange, body)
      return -1
    }
    exchange.bodyBytes += next - at
    if (this.framing.to > this.framing.from) body.push(bytes.subarray(this.framing.from, this.framing.to))
    if (this.framing.done && !body.over) {
      body.finish(this.framing.trailers)
      exchange.requestRead()
    }
    return next
  }

  #begin(head: Head): void {
    this.#idle.stop()
    this.#headers.stop()
    this.#total++
    if (head.minor === 0) head.host ??= this.http1.defaultHost
    const target = readTarget(head, this.#options.scheme, this.http1.onlyPaths)
    if ('status' in target || (head.minor === 0 && !this.#options.acceptHttp10)) {
      this.#refuse('status' in target ? target : LOW_VERSION)
      return
    }
    const upgrade = head.method === 'CONNECT' ? 'connect' : head.upgrade
    const kind = bodyKindOf(head, upgrade)
    const { enableTrailers } = this.#options
    const maxTrailers = enableTrailers ? this.#limits.maxHeaders : MAX_DROPPED_TRAILERS
    this.framing.begin(kind, head.contentLength, this.#limits.maxBytes, maxTrailers, enableTrailers)
    const incoming = kind === 'none' ? undefined : new IncomingBody(kind === 'length' ? head.contentLength : undefined, this)
    const request: HttpRequest = {
      method: head.method,
      scheme: target.scheme,
      authority: target.authority,
      path: target.path,
      protocol: head.minor === 0 ? 'HTTP/1.0' : 'HTTP/1.1',
      headers: head.headers,
      body: incoming ?? emptyBody,
    }
    if (request.authority === '' && head.host === undefined) request.missingHost = true
    const exchange = new Exchange(this, request, upgrade, incoming)
    exchange.headBytes = head.size
    exchange.fieldBytes = head.fieldBytes
    exchange.keepAlive = !head.close
    if (head.expectContinue && this.#options.proxy100Continue === true) head.headers.append('expect', '100-continue')
    else if (head.expectContinue && head.minor === 1) exchange.sendContinue()
    this.#exchange = exchange
    this.#handler.onRequest(exchange)
  }

  #refuse({ status, details, body }: Refusal): void {
    this.#headers.stop()
    this.#idle.stop()
    const request: HttpRequest = {
      method: '',
      scheme: this.#options.scheme,
      authority: '',
      path: '',
      protocol: 'HTTP/1.1',
      headers: createHeaderMap(),
      body: emptyBody,
    }
    const exchange = new Exchange(this, request, undefined, undefined)
    exchange.keepAlive = false
    this.#exchange = exchange
    this.framing.begin('none', 0, 0, 0)
    const refusal = body === undefined ? { body: reasonOf(status), flag: 'DPE' } : { body }
    this.#handler.onRefused(exchange, { status, details, ...refusal })
  }

  #brokenBody(exchange: Exchange, body: IncomingBody): void {
    this.#closing = true
    exchange.keepAlive = false
    const { status, details } = CODEC_ERROR
    exchange.events.onBroken({ status, body: reasonOf(status), details, flag: 'DPE' })
    body.fail(Object.assign(new Error('the request body is not framed as RFC 9112 says'), { code: details }))
  }

  /** The exchange is over on both sides. */
  finished(exchange: Exchange, close: boolean): void {
    if (this.#exchange !== exchange) return
    this.#exchange = undefined
    // Before anybody lets go of the request's body: what is left of it is no request.
    if (close) this.#closing = true
    exchange.events.onDone()
    if (close || this.#draining) {
      this.#shutdown()
      return
    }
    this.#idle.start(this.#options.timeouts.idle)
    if (this.#pumping) return
    if (this.#held.length > 0) this.#pump(this.#held.take())
    if (this.#held.length === 0 || this.#exchange === undefined) this.#connection.resume()
  }

  /** Half-closes, and gives the client time to read: closing at once would take the answer from it (RFC 9112 §9.6). */
  #shutdown(): void {
    this.#closing = true
    this.#idle.stop()
    this.writer.flush()
    this.#connection.end()
    if (this.#options.timeouts.delayedClose === 0) {
      this.#connection.destroy()
      return
    }
    this.#linger ??= this.#options.timers.timer(() => closeFor(this.#connection, CLOSE_REASON.delayed))
    this.#linger.start(this.#options.timeouts.delayedClose)
    this.#connection.resume()
  }
}

/** What follows an upgrade or CONNECT is whatever comes. `h2c` is not taken up: its request is one like any other. */
function bodyKindOf(head: Head, upgrade: string | undefined): BodyKind {
  if (upgrade !== undefined && upgrade !== 'h2c') return 'close'
  return head.chunked ? 'chunked' : head.contentLength > 0 ? 'length' : 'none'
}
