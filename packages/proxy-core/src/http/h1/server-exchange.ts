import type { ExchangeEvents, ServerExchange, WireBytes } from '../codec.js'
import type { HeaderMap } from '../header-map.js'
import type { BodySink, HttpRequest, HttpResponse } from '../message.js'
import { type FieldNames, namesOf } from './field-names.js'
import type { IncomingBody } from './incoming-body.js'
import type { Http1CodecOptions } from './options.js'
import { statusLine } from './status-line.js'
import { type Writer, writeTrailers } from './writer.js'

const noEvents: ExchangeEvents = { onDone() {}, onBroken() {}, onReset() {} }
/** Framing, and what belongs to the upstream's connection. */
const isLeftOut = (name: string): boolean =>
  name === 'connection' || name === 'transfer-encoding' || name === 'keep-alive' || name === 'upgrade'

/** What an exchange asks of its session. */
export interface ExchangeHome {
  readonly writer: Writer
  readonly http1: Http1CodecOptions
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
  responded = false
  /** Bytes on the wire, of the request's head and of its framed body. */
  headBytes = 0
  fieldBytes = 0
  bodyBytes = 0
  readonly #session: ExchangeHome
  readonly #from: number
  #fieldsSent = 0
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
    this.#from = session.writer.total
  }

  get wire(): WireBytes {
    return {
      received: this.headBytes + this.bodyBytes,
      sent: this.#session.writer.total - this.#from,
      headersReceived: this.fieldBytes,
      headersSent: this.#fieldsSent,
      fieldsReceived: this.fieldBytes,
      fieldsSent: this.#fieldsSent,
    }
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
    // Nobody reads the rest of the request, or nobody has sent any of it: its bytes would be taken for the next one.
    const { incoming } = this
    const unread = incoming !== undefined && !incoming.over && (!incoming.wanted || incoming.received === 0)
    if (close || unread || this.#session.draining) this.keepAlive = false
    this.#response = response
    const { writer } = this.#session
    const { body, status } = response
    writer.ascii(statusLine(status))
    const fields = writer.total
    if (this.#opensTunnel(status)) {
      this.#tunnel(response)
      return
    }
    const names = namesOf(response.headers, this.#session.http1)
    const bodyless = this.request.method === 'HEAD' || status === 204 || status === 304 || status < 200
    const length = bodyless ? bodylessLength(response) : body.length?.toString()
    writeFields(writer, response.headers, length, names)
    if (!bodyless) this.#frame(body.length)
    if (this.#chunked || (bodyless && length === undefined && this.#saysChunked(status)))
      writeField(writer, 'transfer-encoding', 'chunked', names)
    if (!this.keepAlive) writeField(writer, 'connection', 'close', names)
    else if (this.request.protocol === 'HTTP/1.0') writeField(writer, 'connection', 'keep-alive', names)
    this.#fieldsSent = writer.total - fields
    writer.ascii('\r\n')
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
      if (name !== 'content-length' && name !== 'transfer-encoding') writer.line(name, headers, i)
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

  /** Before anything is decided, as Envoy does: the client need not wait to be told. */
  sendContinue(): void {
    this.#session.writer.ascii('HTTP/1.1 100 Continue\r\n\r\n')
  }

  #complete(): void {
    this.#sent = true
    this.#response = undefined
    const unread = this.incoming !== undefined && !this.incoming.over
    this.#session.finished(this, !this.keepAlive || unread)
  }

  inform(status: number, headers: HeaderMap): void {
    if (this.responded || this.request.protocol === 'HTTP/1.0') return
    const { writer, http1 } = this.#session
    writer.ascii(statusLine(status))
    writeFields(writer, headers, undefined, namesOf(headers, http1))
    writer.ascii('\r\n')
  }

  #frame(length: number | undefined): void {
    if (length !== undefined) this.#left = length
    else if (this.request.protocol === 'HTTP/1.0') {
      this.#left = Number.POSITIVE_INFINITY
      this.keepAlive = false
    } else this.#chunked = true
  }

  /** Of an answer to HEAD that would be chunked to GET. */
  #saysChunked(status: number): boolean {
    return status !== 204 && status !== 304 && status >= 200 && this.request.protocol === 'HTTP/1.1'
  }
}

/** RFC 9110 §8.6: HEAD and 304 may tell the length that a GET would have. */
function bodylessLength({ status, headers, body }: HttpResponse): string | undefined {
  if (status === 204 || status < 200) return undefined
  const length = headers.get('content-length') ?? (body.length === 0 ? undefined : body.length?.toString())
  return length !== undefined && /^\d+$/.test(length) ? length : undefined
}

function writeField(writer: Writer, name: string, value: string, names: FieldNames | undefined): void {
  writer.field(names === undefined ? name : names(name), value)
}

/** Content-Length, where there is one, stands where it stood. */
function writeFields(writer: Writer, headers: HeaderMap, length: string | undefined, names: FieldNames | undefined): void {
  let told = length === undefined
  for (let i = 0; i < headers.size; i++) {
    const name = headers.nameAt(i)
    if (name === 'content-length') {
      if (!told) writeField(writer, name, length!, names)
      told = true
    } else if (!isLeftOut(name)) writer.line(names === undefined ? name : names(name), headers, i)
  }
  if (!told) writeField(writer, 'content-length', length!, names)
}
