import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Connection } from '../../net/connection.js'
import { streamOf } from '../../net/connection-stream.js'
import type { Timer } from '../../net/timers.js'
import { emptyBody } from '../body.js'
import type { ExchangeEvents, ServerExchange, ServerHandler, ServerOptions, ServerSession } from '../codec.js'
import { sayUpgrade } from '../h2/message-fields.js'
import { createHeaderMap, type HeaderMap } from '../header-map.js'
import type { HttpRequest, HttpResponse } from '../message.js'
import { bodyOfStream, type Sending, type StreamBody, sendBody } from './bodies.js'
import { fieldsOf, headersOfFields, settingsOf } from './http2-fields.js'

/** HTTP/2 towards clients by node:http2. */
export function serveNodeHttp2(connection: Connection, options: ServerOptions, handler: ServerHandler): ServerSession {
  return new Session(connection, options, handler)
}

class Session implements ServerSession {
  readonly #session: ServerHttp2Session
  readonly #connection: Connection
  readonly #options: ServerOptions
  readonly #handler: ServerHandler
  readonly #idle: Timer
  readonly #exchanges = new Set<Exchange>()
  #total = 0

  constructor(connection: Connection, options: ServerOptions, handler: ServerHandler) {
    this.#connection = connection
    this.#options = options
    this.#handler = handler
    this.#idle = options.timers.timer(() => this.drain(true))
    this.#idle.start(options.timeouts.idle)
    const stream = streamOf(connection)
    const { http2, maxHeadersCount } = options
    this.#session = performServerHandshake(stream, { settings: settingsOf(http2), maxHeaderListPairs: maxHeadersCount })
    let reason: Error | undefined
    this.#session.on('error', (error: Error) => {
      reason ??= error
    })
    stream.on('error', (error) => {
      reason ??= error
    })
    this.#session.on('stream', (request: ServerHttp2Stream, fields: IncomingHttpHeaders, _flags: number, raw: unknown) =>
      this.#onStream(request, fields, headersOfFields(raw)),
    )
    stream.on('close', () => {
      this.#idle.stop()
      for (const exchange of [...this.#exchanges]) exchange.onClosed(reason, false)
      handler.onClose(reason)
    })
  }

  get active(): number {
    return this.#exchanges.size
  }

  get total(): number {
    return this.#total
  }

  drain(closeIdle: boolean): void {
    if (closeIdle || this.active > 0 || this.#total > 0) this.retire()
  }

  retire(): void {
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close()
  }

  destroy(error?: Error): void {
    this.#connection.destroy(error)
  }

  over(exchange: Exchange): void {
    this.#exchanges.delete(exchange)
    if (this.active === 0) this.#idle.start(this.#options.timeouts.idle)
  }

  #onStream(stream: ServerHttp2Stream, fields: IncomingHttpHeaders, headers: HeaderMap): void {
    this.#idle.stop()
    this.#total++
    const exchange = new Exchange(this, stream, requestOf(fields, headers, this.#options))
    this.#exchanges.add(exchange)
    this.#handler.onRequest(exchange)
  }
}

const noEvents: ExchangeEvents = { onDone() {}, onBroken() {}, onReset() {} }

class Exchange implements ServerExchange {
  readonly request: HttpRequest
  readonly upgrade: string | undefined
  events: ExchangeEvents = noEvents
  readonly #session: Session
  readonly #stream: ServerHttp2Stream
  readonly #incoming: StreamBody
  #trailers: HeaderMap | undefined
  #sending: Sending | undefined
  #responded = false
  #over = false

  constructor(session: Session, stream: ServerHttp2Stream, request: HttpRequest) {
    this.#session = session
    this.#stream = stream
    this.request = request
    this.upgrade = request.upgrade
    delete request.upgrade
    let reason: Error | undefined
    stream.on('trailers', (_fields: IncomingHttpHeaders, _flags: number, raw: unknown) => {
      this.#trailers = headersOfFields(raw)
    })
    stream.on('error', (error: Error) => {
      reason = error
    })
    stream.on('close', () => this.onClosed(reason, true))
    const said = request.headers.get('content-length')
    this.#incoming = bodyOfStream(
      stream,
      said === undefined ? undefined : Number(said),
      () => this.#trailers,
      () => {},
    )
    if (stream.endAfterHeaders) stream.resume()
    else request.body = this.#incoming
  }

  get bytesReceived(): number {
    return this.#incoming.received
  }

  get bytesSent(): number {
    return this.#sending?.sent ?? 0
  }

  get requestComplete(): boolean {
    return this.#stream.endAfterHeaders || this.#incoming.over
  }

  inform(status: number, headers: HeaderMap): void {
    if (!this.#responded && !this.#stream.closed) this.#stream.additionalHeaders({ ':status': status, ...fieldsOf(headers) })
  }

  respond(response: HttpResponse, close: boolean): void {
    const stream = this.#stream
    const { body, headers } = response
    if (this.#responded || stream.closed || stream.destroyed) {
      body.discard()
      return
    }
    this.#responded = true
    // RFC 8441 §5: 200 takes the place of 101.
    const status = response.status === 101 && this.upgrade !== undefined ? 200 : response.status
    const bodiless = this.request.method === 'HEAD' || status === 204 || status === 304 || status < 200
    const endStream = bodiless || body.length === 0
    const said = headers.get('content-length')
    const length = bodiless ? (said === undefined ? undefined : Number(said)) : body.length
    stream.respond({ ':status': status, ...fieldsOf(headers, length) }, { endStream, waitForTrailers: !endStream })
    if (bodiless) body.discard()
    if (endStream) this.#done()
    else this.#send(response)
    if (close) this.#session.drain(false)
  }

  reset(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  onClosed(error: Error | undefined, byPeer: boolean): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    this.#session.over(this)
    this.#incoming.fail(error ?? new Error('the client has ended the stream'))
    if (byPeer) this.events.onReset(error, { details: 'http2.remote_reset', flag: 'DR' })
    else this.events.onReset(error)
  }

  #send({ body }: HttpResponse): void {
    const stream = this.#stream
    let trailers = createHeaderMap()
    stream.on('wantTrailers', () => {
      stream.sendTrailers(fieldsOf(trailers))
      this.#done()
    })
    this.#sending = sendBody(body, stream, {
      onEnd(last) {
        trailers = last ?? trailers
        stream.end()
      },
      onBroken: () => this.reset(),
    })
  }

  #done(): void {
    if (this.#over) return
    this.#over = true
    this.#session.over(this)
    this.events.onDone()
    if (!this.requestComplete) this.#incoming.discard()
  }
}

function requestOf(fields: IncomingHttpHeaders, headers: HeaderMap, { scheme }: ServerOptions): HttpRequest {
  const [method, protocol] = [fields[':method'] ?? '', fields[':protocol']]
  const upgrade = method !== 'CONNECT' ? undefined : typeof protocol === 'string' ? protocol.toLowerCase() : 'connect'
  if (upgrade !== undefined && upgrade !== 'connect') sayUpgrade(headers, upgrade)
  return {
    // Extended CONNECT is what HTTP/1.1 says with GET and Upgrade.
    method: upgrade === undefined || upgrade === 'connect' ? method : 'GET',
    scheme,
    authority: fields[':authority'] ?? fields.host ?? '',
    path: fields[':path'] ?? '',
    protocol: 'HTTP/2',
    headers,
    body: emptyBody,
    ...(upgrade === undefined ? {} : { upgrade }),
  }
}
