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
import type { BodySink, HttpRequest, HttpResponse } from '../message.js'
import { BodyFraming, type BodyKind } from './framing.js'
import { type Head, type HeadLimits, parseResponseHead } from './head.js'
import { type BodySource, IncomingBody } from './incoming-body.js'
import { Writer } from './writer.js'

/** HTTP/1.1 towards upstreams: one request at a time, no pipelining, kept alive between them. */
export function connectHttp1(connection: Connection, options: ClientOptions, handler: ClientSessionHandler): ClientSession {
  const session = new Session(connection, options, handler)
  connection.handle(session)
  return session
}

const LF = 10
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'TRACE', 'CONNECT'])
/** They are dropped, so only their bytes count. */
const MAX_TRAILERS = 10_000

class Session implements ClientSession, ConnectionHandler, BodySource {
  readonly connection: Connection
  readonly writer: Writer
  readonly #framing = new BodyFraming()
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
    this.#limits = { maxBytes: options.maxHeadersKb * 1024, maxHeaders: options.maxHeadersCount }
    this.writer = new Writer(connection)
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
    // Interim answers end here; the proxy has said `100 Continue` itself.
    if (head.status < 200 && head.status !== 101) return at + head.size
    const kind = bodyKindOf(head, exchange.request.method)
    if (kind === undefined) return this.#violation('http1.codec_error')
    if (head.close || kind === 'close') this.#usable = false
    this.#framing.begin(kind, head.contentLength, this.#limits.maxBytes, MAX_TRAILERS)
    const incoming = new IncomingBody(kind === 'length' ? head.contentLength : kind === 'none' ? 0 : undefined, this)
    const response: HttpResponse = { status: head.status, headers: head.headers, body: kind === 'none' ? emptyBody : incoming }
    if (kind !== 'none') {
      this.#incoming = incoming
      exchange.events.onResponse(response)
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
    incoming.finish()
  }

  /** `clean`: nothing lies behind the response. What does would be taken for the next one's (response-queue poisoning). */
  #free(exchange: Exchange, clean: boolean): void {
    this.#exchange = undefined
    this.#incoming = undefined
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

class Exchange implements ClientExchange, BodySink {
  readonly request: HttpRequest
  readonly events: ClientExchangeEvents
  /** The request is on the connection, to its last byte. */
  sent = false
  readonly #session: Session
  #chunked = false
  #left = 0
  #waiting = false
  #stopped = false

  constructor(session: Session, request: HttpRequest, events: ClientExchangeEvents) {
    this.#session = session
    this.request = request
    this.events = events
  }

  start(): void {
    const { request } = this
    const { writer } = this.#session
    writer.ascii(`${request.method} `)
    writer.target(request.path)
    writer.ascii(' HTTP/1.1\r\n')
    writer.field('host', request.authority)
    const { headers } = request
    for (let i = 0; i < headers.size; i++) {
      const name = headers.nameAt(i)
      if (name === 'content-length' || name === 'transfer-encoding' || name === 'connection' || name === 'host') continue
      writer.field(name, headers.valueAt(i))
    }
    const { length } = request.body
    if (length === undefined) {
      this.#chunked = true
      writer.ascii('transfer-encoding: chunked\r\n\r\n')
    } else {
      this.#left = length
      // RFC 9110 §8.6: methods that may mean something by a body say its length even when it is 0.
      const says = length > 0 || !BODILESS.has(request.method)
      writer.ascii(says ? `content-length: ${length}\r\n\r\n` : '\r\n')
    }
    request.body.consume(this)
  }

  cancel(): void {
    this.stopSending()
    this.#session.cancel(this)
  }

  /** The rest of the request is not wanted. */
  stopSending(): void {
    if (this.sent || this.#stopped) return
    this.#stopped = true
    this.request.body.discard()
  }

  data(chunk: Uint8Array): boolean {
    if (this.#stopped || chunk.length === 0) return true
    const { writer } = this.#session
    if (this.#chunked) {
      writer.ascii(`${chunk.length.toString(16)}\r\n`)
      writer.bytes(chunk)
      writer.ascii('\r\n')
    } else {
      this.#left -= chunk.length
      if (this.#left < 0) {
        this.abort(new Error('the request body is longer than was said'))
        return true
      }
      writer.bytes(chunk)
    }
    if (!writer.full) return true
    this.#waiting = true
    return false
  }

  end(): void {
    if (this.#stopped) return
    if (this.#chunked) this.#session.writer.ascii('0\r\n\r\n')
    this.sent = true
  }

  /** The client is gone in the middle of its request: the upstream must not take what it has for a whole one. */
  abort(error: Error): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#session.destroy(error)
  }

  onDrain(): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.request.body.resume()
  }
}
