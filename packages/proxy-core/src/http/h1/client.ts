import type { Connection, ConnectionHandler } from '../../net/connection.js'
import { asBuffer, HeldBytes } from '../../net/held-bytes.js'
import { emptyBody } from '../body.js'
import type {
  ClientExchange,
  ClientExchangeEvents,
  ClientOptions,
  ClientSession,
  ClientSessionHandler,
  ResetReason,
} from '../codec.js'
import type { HttpRequest, HttpResponse } from '../message.js'
import { Http1ClientExchange as Exchange, type ExchangeHome } from './client-exchange.js'
import { BodyFraming, type BodyKind } from './framing.js'
import { type Head, type HeadLimits, parseResponseHead } from './head.js'
import { type BodySource, IncomingBody } from './incoming-body.js'
import { type Http1CodecOptions, NO_HTTP1_OPTIONS } from './options.js'
import { Writer } from './writer.js'

/** HTTP/1.1 towards upstreams: one request at a time, no pipelining, kept alive between them. */
export function connectHttp1(connection: Connection, options: ClientOptions, handler: ClientSessionHandler): ClientSession {
  const session = new Session(connection, options, handler)
  connection.handle(session)
  return session
}

const LF = 10
/** Where they are dropped only their bytes count. */
const MAX_DROPPED_TRAILERS = 10_000

class Session implements ClientSession, ExchangeHome, ConnectionHandler, BodySource {
  readonly connection: Connection
  readonly writer: Writer
  readonly http1: Http1CodecOptions
  readonly #framing = new BodyFraming()
  readonly keepsTrailers: boolean
  readonly #handler: ClientSessionHandler
  readonly #limits: HeadLimits
  readonly #held = new HeldBytes()
  #exchange: Exchange | undefined
  #incoming: IncomingBody | undefined
  #pumping = false
  #total = 0
  #usable = true

  constructor(connection: Connection, options: ClientOptions, handler: ClientSessionHandler) {
    this.connection = connection
    this.#handler = handler
    this.keepsTrailers = options.enableTrailers
    this.http1 = options.http1 ?? NO_HTTP1_OPTIONS
    this.#limits = { maxBytes: options.maxHeadersKb * 1024, maxHeaders: options.maxHeadersCount, http1: this.http1 }
    this.writer = new Writer(connection, options.defer)
  }

  get available(): boolean {
    return this.#usable && this.#exchange === undefined
  }

  readonly protocol = 'HTTP/1.1'

  get active(): number {
    return this.#exchange === undefined ? 0 : 1
  }

  get total(): number {
    return this.#total
  }

  send(request: HttpRequest, events: ClientExchangeEvents): ClientExchange {
    this.#total++
    const exchange = new Exchange(this, request, events)
    this.#exchange = exchange
    exchange.start()
    return exchange
  }

  drain(): void {
    this.#usable = false
    if (this.#exchange === undefined) this.connection.destroy()
  }

  /** Of a tunnel: nothing else tells the upstream that one side is done. */
  endWriting(): void {
    this.writer.flush()
    this.connection.end()
  }

  destroy(error?: Error): void {
    this.#usable = false
    this.connection.destroy(error)
  }

  onData(bytes: Uint8Array): void {
    if (this.#exchange === undefined) {
      // Bytes that nobody asked for would be taken for the next answer.
      this.destroy(new Error('the upstream sent bytes on an idle connection'))
      return
    }
    if (this.#held.length === 0) {
      this.#pump(asBuffer(bytes))
      return
    }
    this.#held.append(bytes)
    if (this.#incoming === undefined && bytes.indexOf(LF) < 0 && this.#held.length <= this.#limits.maxBytes) return
    this.#pump(this.#held.take())
  }

  onEnd(): void {
    this.#usable = false
    const incoming = this.#incoming
    if (this.#exchange !== undefined && incoming !== undefined && this.#framing.untilClose && this.#held.length === 0) {
      this.#finishResponse(this.#exchange, incoming, true)
      return
    }
    this.#reset(
      incoming === undefined ? 'connection_termination' : 'protocol_error',
      new Error('the upstream closed the connection before the response was complete'),
    )
    this.connection.destroy()
  }

  onDrain(): void {
    this.writer.drained()
    this.#exchange?.onDrain()
  }

  onClose(error?: Error): void {
    this.#usable = false
    // Envoy's codec takes the end in the middle of a body for a fault of the protocol, however it came.
    this.#reset(this.#incoming === undefined ? 'connection_termination' : 'protocol_error', error)
    this.#handler.onClose(this, error)
  }

  flow(): void {
    if (this.#pumping) return
    if (this.#held.length > 0) this.#pump(this.#held.take())
    if (this.#held.length === 0) this.connection.resume()
  }

  stop(): void {
    this.connection.pause()
  }

  /** The sender of the request gave up: an answer under way could not be told from the next one's. */
  cancel(exchange: Exchange): void {
    if (this.#exchange !== exchange) return
    this.#exchange = undefined
    this.#incoming = undefined
    this.destroy()
  }

  #pump(bytes: Buffer): void {
    this.#pumping = true
    let at = 0
    while (this.#exchange !== undefined && at >= 0 && at < bytes.length && !this.connection.closed) {
      const exchange: Exchange = this.#exchange
      at =
        this.#incoming === undefined ? this.#readHead(exchange, bytes, at) : this.#readBody(exchange, this.#incoming, bytes, at)
    }
    this.#pumping = false
    if (this.#exchange === undefined && at >= 0 && at < bytes.length)
      this.destroy(new Error('the upstream sent bytes after its response'))
  }

  /** Where to go on, or -1: nothing more can be done with these bytes. */
  #readHead(exchange: Exchange, bytes: Buffer, at: number): number {
    const head = parseResponseHead(bytes, at, bytes.length, this.#limits)
    if (head === 'more') {
      this.#held.append(bytes.subarray(at))
      return -1
    }
    if ('details' in head) return this.#violation(head.details)
    exchange.headBytes += head.size
    exchange.fieldBytes += head.fieldBytes
    if (head.status < 200 && head.status !== 101) {
      exchange.events.onInterim?.(head.status, head.headers)
      return at + head.size
    }
    // RFC 9110 §15.2.2: 101 says what to.
    const accepted = exchange.upgradeAccepted(head.status) && (head.status !== 101 || head.upgrade !== undefined)
    const kind = accepted ? 'close' : bodyKindOf(head, exchange.request.method)
    if (kind === undefined) return this.#violation('http1.codec_error')
    if (head.close || kind === 'close') this.#usable = false
    if (exchange.request.upgrade !== undefined) this.#usable = false
    const maxTrailers = this.keepsTrailers ? this.#limits.maxHeaders : MAX_DROPPED_TRAILERS
    this.#framing.begin(kind, head.contentLength, this.#limits.maxBytes, maxTrailers, this.keepsTrailers)
    const incoming = new IncomingBody(kind === 'length' ? head.contentLength : kind === 'none' ? 0 : undefined, this)
    const response: HttpResponse = { status: head.status, headers: head.headers, body: kind === 'none' ? emptyBody : incoming }
    if (kind !== 'none') {
      this.#incoming = incoming
      exchange.events.onResponse(response)
      if (accepted) exchange.tunnel()
    } else {
      // Over before anybody hears of it: whoever cancels on hearing must not cost the connection.
      this.#free(exchange, at + head.size === bytes.length)
      exchange.events.onResponse(response)
      exchange.events.onEnd()
    }
    return at + head.size
  }

  #readBody(exchange: Exchange, incoming: IncomingBody, bytes: Buffer, at: number): number {
    if (!incoming.flowing) {
      this.#held.append(bytes.subarray(at))
      this.connection.pause()
      return -1
    }
    const framing = this.#framing
    const next = framing.eat(bytes, at, bytes.length)
    if (next < 0) return this.#violation('http1.codec_error')
    exchange.bodyBytes += next - at
    if (framing.to > framing.from) incoming.push(bytes.subarray(framing.from, framing.to))
    if (framing.done && this.#incoming === incoming) this.#finishResponse(exchange, incoming, next === bytes.length)
    return next
  }

  #violation(details: string): -1 {
    this.#usable = false
    this.#reset(
      'protocol_error',
      Object.assign(new Error('the upstream does not speak HTTP/1.1 as RFC 9112 says'), { code: details }),
    )
    this.connection.destroy()
    return -1
  }

  #finishResponse(exchange: Exchange, incoming: IncomingBody, clean: boolean): void {
    this.#free(exchange, clean)
    exchange.events.onEnd()
    incoming.finish(this.#framing.trailers)
  }

  /** `clean`: nothing lies behind the response. What does would be taken for the next one's (response-queue poisoning). */
  #free(exchange: Exchange, clean: boolean): void {
    this.#exchange = undefined
    this.#incoming = undefined
    exchange.settle()
    if (!clean) this.#usable = false
    // An answer that came before the request was sent whole: the rest of the request cannot follow any more.
    if (!exchange.sent) {
      this.#usable = false
      exchange.stopSending()
    }
    exchange.events.onFree()
    if (this.#usable) {
      this.connection.resume()
      this.#handler.onAvailable(this)
    } else this.connection.destroy()
  }

  #reset(reason: ResetReason, error: Error | undefined): void {
    const exchange = this.#exchange
    const incoming = this.#incoming
    this.#exchange = undefined
    this.#incoming = undefined
    if (exchange === undefined) return
    exchange.stopSending()
    // The sender first: it knows better what the client shall see than a body that just breaks off.
    exchange.events.onReset(reason, error)
    incoming?.fail(error ?? new Error('the upstream closed the connection'))
  }
}

/** RFC 9112 §6.3. Undefined: framed as no answer may be. */
function bodyKindOf(head: Head, method: string): BodyKind | undefined {
  const { status } = head
  if (status === 101) return undefined
  if (status === 204 && (head.chunked || head.contentLength > 0)) return undefined
  if (method === 'HEAD' || status === 204 || status === 304) return 'none'
  if (head.chunked) return 'chunked'
  if (head.contentLength === 0) return 'none'
  return head.contentLength > 0 ? 'length' : 'close'
}
