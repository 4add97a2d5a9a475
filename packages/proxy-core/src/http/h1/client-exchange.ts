import type { ClientExchange, ClientExchangeEvents, WireBytes } from '../codec.js'
import type { HeaderMap } from '../header-map.js'
import type { BodySink, HttpRequest } from '../message.js'
import { namesOf } from './field-names.js'
import type { Http1CodecOptions } from './options.js'
import { type Writer, writeTrailers } from './writer.js'

const isBodiless = (method: string): boolean =>
  method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'TRACE' || method === 'CONNECT'
const isOfUpgrade = (name: string): boolean => name === 'connection' || name === 'upgrade'
const isFraming = (name: string): boolean => name === 'host' || name === 'transfer-encoding'

/** What an exchange asks of its session. */
export interface ExchangeHome {
  readonly writer: Writer
  readonly http1: Http1CodecOptions
  /** Trailers are passed on. */
  readonly keepsTrailers: boolean
  cancel(exchange: Http1ClientExchange): void
  destroy(error?: Error): void
  /** Half-closes, once what was written is out. */
  endWriting(): void
}

/** A request sent on the connection. */
export class Http1ClientExchange implements ClientExchange, BodySink {
  readonly request: HttpRequest
  readonly events: ClientExchangeEvents
  /** The request is on the connection, to its last byte. */
  sent = false
  /** Bytes on the wire, of the answer's head and of its framed body. */
  headBytes = 0
  fieldBytes = 0
  bodyBytes = 0
  readonly #session: ExchangeHome
  #from = 0
  #sentBytes = -1
  #fieldsSent = 0
  #chunked = false
  #left = 0
  #waiting = false
  #stopped = false

  constructor(session: ExchangeHome, request: HttpRequest, events: ClientExchangeEvents) {
    this.#session = session
    this.request = request
    this.events = events
  }

  get wire(): WireBytes {
    return {
      received: this.headBytes + this.bodyBytes,
      sent: this.#sentBytes < 0 ? this.#session.writer.total - this.#from : this.#sentBytes,
      headersReceived: this.fieldBytes,
      headersSent: this.#fieldsSent,
      fieldsReceived: this.fieldBytes,
      fieldsSent: this.#fieldsSent,
    }
  }

  /** The answer is whole: what the connection sends from now on belongs to the next request. */
  settle(): void {
    this.#sentBytes = this.#session.writer.total - this.#from
  }

  start(): void {
    const { request } = this
    const { writer, http1 } = this.#session
    this.#from = writer.total
    const { length } = request.body
    this.#chunked = length === undefined && request.upgrade === undefined
    this.#left = length ?? 0
    writer.ascii(request.method)
    writer.ascii(' ')
    writer.target(request.method === 'CONNECT' ? request.authority : request.path)
    writer.ascii(' HTTP/1.1\r\n')
    const fields = writer.total
    const { headers } = request
    const names = namesOf(headers, http1)
    writer.field(names === undefined ? 'host' : names('host'), request.authority)
    // Nothing follows an upgrade before the upstream has agreed (CVE-2025-64763).
    const tunnel = request.upgrade !== undefined
    let framed = tunnel
    for (let i = 0; i < headers.size; i++) {
      const name = headers.nameAt(i)
      if (name === 'content-length') {
        if (!framed && !this.#chunked) this.#writeLength()
        framed = true
        continue
      }
      if (isFraming(name) || (!tunnel && isOfUpgrade(name))) continue
      writer.line(names === undefined ? name : names(name), headers, i)
    }
    if (this.#chunked) writer.field(names === undefined ? 'transfer-encoding' : names('transfer-encoding'), 'chunked')
    else if (!framed) this.#writeLength()
    this.#fieldsSent = writer.total - fields
    writer.ascii('\r\n')
    if (tunnel) return
    request.body.consume(this)
  }

  /** RFC 9110 §8.6: methods that may mean something by a body say its length even when it is 0; so does who has said it. */
  #writeLength(): void {
    const { writer, http1 } = this.#session
    const { headers, method } = this.request
    if (this.#left === 0 && isBodiless(method) && headers.get('content-length') !== '0') return
    const names = namesOf(headers, http1)
    writer.field(names === undefined ? 'content-length' : names('content-length'), String(this.#left))
  }

  /** Only 101 switches protocols, and only 2xx opens a tunnel (CVE-2024-23326). */
  upgradeAccepted(status: number): boolean {
    const { upgrade } = this.request
    if (upgrade === undefined) return false
    return upgrade === 'connect' ? status >= 200 && status < 300 : status === 101
  }

  /** Both bodies are bytes without framing now. */
  tunnel(): void {
    if (this.#stopped) return
    this.#left = Number.POSITIVE_INFINITY
    this.request.body.consume(this)
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

  end(trailers?: HeaderMap): void {
    if (this.#stopped) return
    const { writer, keepsTrailers } = this.#session
    if (this.#chunked) {
      writer.ascii('0\r\n')
      if (trailers !== undefined && keepsTrailers) writeTrailers(writer, trailers)
      writer.ascii('\r\n')
    }
    this.sent = true
    if (this.request.upgrade === 'connect') this.#session.endWriting()
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
