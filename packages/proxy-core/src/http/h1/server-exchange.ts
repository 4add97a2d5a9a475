import type { ExchangeEvents, ServerExchange } from '../codec.js'
import type { HeaderMap } from '../header-map.js'
import type { BodySink, HttpRequest, HttpResponse } from '../message.js'
import type { IncomingBody } from './incoming-body.js'
import { statusLine } from './status-line.js'
import { type Writer, writeTrailers } from './writer.js'

const noEvents: ExchangeEvents = { onDone() {}, onBroken() {}, onReset() {} }
/** Framing, and what belongs to the upstream's connection. */
const LEFT_OUT: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade'])

/** What an exchange asks of its session. */
export interface ExchangeHome {
  readonly writer: Writer
  readonly draining: boolean
  /** Trailers are passed on. */
  readonly keepsTrailers: boolean
  /** The exchange is over on both sides. */
  finished(exchange: Http1ServerExchange, close: boolean): void
  destroy(): void
}

/** A request on the connection, and its answer. */
export class Http1ServerExchange implements ServerExchange, BodySink {
  readonly request: HttpRequest
  readonly upgrade: string | undefined
  readonly incoming: IncomingBody | undefined
  events: ExchangeEvents = noEvents
  bytesSent = 0
  keepAlive = true
  awaitsContinue = false
  responded = false
  readonly #session: ExchangeHome
  #response: HttpResponse | undefined
  #chunked = false
  #left = 0
  #waiting = false
  #sent = false

  constructor(session: ExchangeHome, request: HttpRequest, upgrade: string | undefined, incoming: IncomingBody | undefined) {
    this.#session = session
    this.request = request
    this.upgrade = upgrade
    this.incoming = incoming
  }

  get bytesReceived(): number {
    return this.incoming?.received ?? 0
  }

  get requestComplete(): boolean {
    return this.incoming === undefined || this.incoming.over
  }

  respond(response: HttpResponse, close: boolean): void {
    if (this.responded) return
    this.responded = true
    this.awaitsContinue = false
    // Nobody reads the rest of the request: its bytes would be taken for the next one.
    const unread = this.incoming !== undefined && !this.incoming.over && !this.incoming.wanted
    if (close || unread || this.#session.draining) this.keepAlive = false
    this.#response = response
    const { writer } = this.#session
    const { body, status } = response
    writer.ascii(statusLine(status))
    if (this.#opensTunnel(status)) {
      this.#tunnel(response)
      return
    }
    writeFields(writer, response)
    const bodyless = this.request.method === 'HEAD' || status === 204 || status === 304 || status < 200
    if (bodyless) this.#writeBodylessFraming(response)
    else this.#writeFraming(body.length)
    if (!this.keepAlive) writer.ascii('connection: close\r\n\r\n')
    else writer.ascii(this.request.protocol === 'HTTP/1.0' ? 'connection: keep-alive\r\n\r\n' : '\r\n')
    if (bodyless) {
      body.discard()
      this.#complete()
    } else body.consume(this)
  }

  /** RFC 9110 §7.8 and §9.3.6. */
  #opensTunnel(status: number): boolean {
    return this.upgrade === 'connect' ? status >= 200 && status < 300 : this.upgrade !== undefined && status === 101
  }

  /** From here on both bodies are bytes without framing. */
  #tunnel(response: HttpResponse): void {
    const { writer } = this.#session
    const { headers, body } = response
    this.keepAlive = false
    this.#left = Number.POSITIVE_INFINITY
    for (let i = 0; i < headers.size; i++) {
      const name = headers.nameAt(i)
      if (name !== 'content-length' && name !== 'transfer-encoding') writer.field(name, headers.valueAt(i))
    }
    writer.ascii('\r\n')
    writer.flush()
    body.consume(this)
  }

  reset(): void {
    this.#session.writer.flush()
    this.#session.destroy()
  }

  data(chunk: Uint8Array): boolean {
    const { length } = chunk
    if (length === 0) return true
    const { writer } = this.#session
    this.bytesSent += length
    if (this.#chunked) {
      writer.ascii(`${length.toString(16)}\r\n`)
      writer.bytes(chunk)
      writer.ascii('\r\n')
    } else {
      this.#left -= length
      if (this.#left < 0) {
        this.abort()
        return true
      }
      writer.bytes(chunk)
    }
    if (!writer.full) return true
    this.#waiting = true
    return false
  }

  end(trailers?: HeaderMap): void {
    const { writer, keepsTrailers } = this.#session
    if (this.#chunked) {
      writer.ascii('0\r\n')
      if (trailers !== undefined && keepsTrailers) writeTrailers(writer, trailers)
      writer.ascii('\r\n')
    }
    if (!this.#chunked && this.#left > 0 && this.#left !== Number.POSITIVE_INFINITY) {
      this.abort()
      return
    }
    this.#complete()
  }

  abort(): void {
    this.reset()
  }

  onDrain(): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#response?.body.resume()
  }

  onConnectionClose(error: Error | undefined): void {
    const gone = error ?? new Error('the client has closed the connection')
    this.#response?.body.discard()
    this.incoming?.fail(gone)
    this.events.onReset(error)
  }

  requestRead(): void {
    if (this.#sent) this.#session.finished(this, !this.keepAlive)
  }

  sendContinue(): void {
    if (!this.awaitsContinue) return
    this.awaitsContinue = false
    this.#session.writer.ascii('HTTP/1.1 100 Continue\r\n\r\n')
  }

  #complete(): void {
    this.#sent = true
    this.#response = undefined
    const unread = this.incoming !== undefined && !this.incoming.over
    this.#session.finished(this, !this.keepAlive || unread)
  }

  #writeFraming(length: number | undefined): void {
    const { writer } = this.#session
    if (length !== undefined) {
      this.#left = length
      writer.ascii(`content-length: ${length}\r\n`)
    } else if (this.request.protocol === 'HTTP/1.0') {
      this.#left = Number.POSITIVE_INFINITY
      this.keepAlive = false
    } else {
      this.#chunked = true
      writer.ascii('transfer-encoding: chunked\r\n')
    }
  }

  /** RFC 9110 §8.6: HEAD and 304 may tell the length that a GET would have. */
  #writeBodylessFraming(response: HttpResponse): void {
    if (response.status === 204 || response.status < 200) return
    const length =
      response.headers.get('content-length') ?? (response.body.length === 0 ? undefined : response.body.length?.toString())
    if (length !== undefined && /^\d+$/.test(length)) this.#session.writer.ascii(`content-length: ${length}\r\n`)
    else if (response.status !== 304 && this.request.protocol === 'HTTP/1.1')
      this.#session.writer.ascii('transfer-encoding: chunked\r\n')
  }
}

function writeFields(writer: Writer, response: HttpResponse): void {
  const { headers } = response
  for (let i = 0; i < headers.size; i++) {
    const name = headers.nameAt(i)
    if (LEFT_OUT.has(name)) continue
    writer.field(name, headers.valueAt(i))
  }
}
