import type { ClientExchange, ClientExchangeEvents } from '../codec.js'
import type { HeaderMap } from '../header-map.js'
import type { BodySink, HttpRequest } from '../message.js'
import { type Writer, writeTrailers } from './writer.js'

const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'TRACE', 'CONNECT'])
const OF_UPGRADE: ReadonlySet<string> = new Set(['connection', 'upgrade'])
const LEFT_OUT: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'host', ...OF_UPGRADE])

/** What an exchange asks of its session. */
export interface ExchangeHome {
  readonly writer: Writer
  /** Trailers are passed on. */
  readonly keepsTrailers: boolean
  cancel(exchange: Http1ClientExchange): void
  destroy(error?: Error): void
}

/** A request sent on the connection. */
export class Http1ClientExchange implements ClientExchange, BodySink {
  readonly request: HttpRequest
  readonly events: ClientExchangeEvents
  /** The request is on the connection, to its last byte. */
  sent = false
  readonly #session: ExchangeHome
  #chunked = false
  #left = 0
  #waiting = false
  #stopped = false

  constructor(session: ExchangeHome, request: HttpRequest, events: ClientExchangeEvents) {
    this.#session = session
    this.request = request
    this.events = events
  }

  start(): void {
    const { request } = this
    const { writer } = this.#session
    writer.ascii(`${request.method} `)
    writer.target(request.method === 'CONNECT' ? request.authority : request.path)
    writer.ascii(' HTTP/1.1\r\n')
    writer.field('host', request.authority)
    const { headers } = request
    for (let i = 0; i < headers.size; i++) {
      const name = headers.nameAt(i)
      if (LEFT_OUT.has(name) && (request.upgrade === undefined || !OF_UPGRADE.has(name))) continue
      writer.field(name, headers.valueAt(i))
    }
    const { length } = request.body
    if (request.upgrade !== undefined) {
      // Nothing follows before the upstream has agreed (CVE-2025-64763).
      writer.ascii('\r\n')
      return
    }
    if (length === undefined) {
      this.#chunked = true
      writer.ascii('transfer-encoding: chunked\r\n\r\n')
    } else {
      this.#left = length
      // RFC 9110 §8.6: methods that may mean something by a body say its length even when it is 0; so does who has said it.
      const says = length > 0 || !BODILESS.has(request.method) || headers.get('content-length') === '0'
      writer.ascii(says ? `content-length: ${length}\r\n\r\n` : '\r\n')
    }
    request.body.consume(this)
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
