import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ExchangeEvents, ServerExchange, ServerOptions } from '../codec.js'
import { reasonOf } from '../h1/status-line.js'
import type { HeaderMap } from '../header-map.js'
import type { HttpRequest, HttpResponse, LocalReply } from '../message.js'
import { type Sending, type StreamBody, sendBody } from './bodies.js'
import { isOfConnection, rawOf } from './raw-headers.js'

/** What an exchange asks of its session. */
export interface ExchangeHome {
  readonly options: ServerOptions
  readonly stream: Duplex
  readonly draining: boolean
  finished(exchange: NodeServerExchange, close: boolean): void
}

const noEvents: ExchangeEvents = { onDone() {}, onBroken() {}, onReset() {} }
const isFraming = (name: string): boolean => isOfConnection(name) || name === 'content-length' || name === 'upgrade'

/** A request that node:http has read, and its answer: by its ServerResponse, or by hand where node:http has let the stream go. */
export class NodeServerExchange implements ServerExchange {
  readonly request: HttpRequest
  readonly upgrade: string | undefined
  events: ExchangeEvents = noEvents
  readonly #home: ExchangeHome
  readonly #incoming: StreamBody | undefined
  readonly #response: ServerResponse | undefined
  #sending: Sending | undefined
  #responded = false
  #over = false

  constructor(
    home: ExchangeHome,
    request: HttpRequest,
    upgrade: string | undefined,
    incoming: StreamBody | undefined,
    response: ServerResponse | undefined,
  ) {
    this.#home = home
    this.request = request
    this.upgrade = upgrade
    this.#incoming = incoming
    this.#response = response
  }

  get bytesReceived(): number {
    return this.#incoming?.received ?? 0
  }

  get bytesSent(): number {
    return this.#sending?.sent ?? 0
  }

  get requestComplete(): boolean {
    return this.#incoming === undefined || this.#incoming.over
  }

  inform(status: number, headers: HeaderMap): void {
    if (this.#responded || this.request.protocol === 'HTTP/1.0') return
    this.#home.stream.write(headText(status, rawOf(headers, isFraming)))
  }

  respond(response: HttpResponse, close: boolean): void {
    if (this.#responded) return
    this.#responded = true
    const { status, body } = response
    if (this.#opensTunnel(status)) this.#tunnel(response)
    else if (this.#response === undefined) this.#respondByHand(response)
    else {
      const closes = close || this.#home.draining || !this.requestComplete
      const bodiless = this.request.method === 'HEAD' || status === 204 || status === 304 || status < 200
      this.#writeHead(this.#response, response, closes, bodiless)
      if (bodiless) {
        body.discard()
        this.#finish(this.#response, undefined, closes)
      } else this.#send(response, this.#response, closes)
    }
  }

  reset(): void {
    this.#home.stream.destroy()
  }

  /** What has been read of the body cannot be read on. */
  broken(reply: LocalReply): void {
    this.events.onBroken(reply)
    this.#incoming?.fail(Object.assign(new Error('the request body is not framed as RFC 9112 says'), { code: reply.details }))
  }

  onConnectionClose(error: Error | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    this.#incoming?.fail(error ?? new Error('the client has closed the connection'))
    this.events.onReset(error)
  }

  /** RFC 9110 §7.8 and §9.3.6. */
  #opensTunnel(status: number): boolean {
    return this.upgrade === 'connect' ? status >= 200 && status < 300 : this.upgrade !== undefined && status === 101
  }

  #writeHead(to: ServerResponse, { status, headers, body }: HttpResponse, closes: boolean, bodiless: boolean): void {
    const raw = rawOf(headers, isFraming)
    const length = bodiless ? headers.get('content-length') : body.length?.toString()
    if (length !== undefined && status !== 204) raw.push('content-length', length)
    if (closes) raw.push('connection', 'close')
    // Nothing is said that the proxy has not said.
    to.sendDate = false
    to.removeHeader('connection')
    to.writeHead(status, reasonOf(status), raw)
    to.flushHeaders()
  }

  #send({ body }: HttpResponse, to: ServerResponse, closes: boolean): void {
    this.#sending = sendBody(body, to, {
      onEnd: (trailers) => this.#finish(to, trailers, closes),
      onBroken: () => this.reset(),
    })
  }

  #finish(to: ServerResponse, trailers: HeaderMap | undefined, closes: boolean): void {
    if (trailers !== undefined && this.#home.options.enableTrailers) to.addTrailers([...trailers])
    to.end(() => this.#done(closes))
  }

  /** From here on both bodies are bytes without framing. */
  #tunnel({ status, headers, body }: HttpResponse): void {
    const { stream } = this.#home
    stream.write(
      headText(
        status,
        rawOf(headers, (name) => name === 'content-length' || name === 'transfer-encoding'),
      ),
    )
    this.#sending = sendBody(body, stream, { onEnd: () => this.#done(true), onBroken: () => this.reset() })
  }

  /** The connection closes after it: its end is the body's. */
  #respondByHand({ status, headers, body }: HttpResponse): void {
    const { stream } = this.#home
    const length = body.length === undefined ? [] : ['content-length', String(body.length)]
    stream.write(headText(status, [...rawOf(headers, isFraming), ...length, 'connection', 'close']))
    // A body that is there already ends before anybody can have asked how much of it was sent.
    const onEnd = (): void => queueMicrotask(() => this.#done(true))
    this.#sending = sendBody(body, stream, { onEnd, onBroken: () => this.reset() })
  }

  #done(close: boolean): void {
    if (this.#over) return
    this.#over = true
    this.#home.finished(this, close)
  }
}

function headText(status: number, raw: readonly string[]): Buffer {
  let text = `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`
  for (let i = 0; i + 1 < raw.length; i += 2) text += `${raw[i]}: ${raw[i + 1]}\r\n`
  return Buffer.from(`${text}\r\n`, 'latin1')
}
