import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2'
import type { Connection } from '../../net/connection.js'
import { streamOf } from '../../net/connection-stream.js'
import { emptyBody } from '../body.js'
import type {
  ClientExchange,
  ClientExchangeEvents,
  ClientOptions,
  ClientSession,
  ClientSessionHandler,
  ResetReason,
} from '../codec.js'
import { sayUpgrade } from '../h2/message-fields.js'
import { createHeaderMap, type HeaderMap } from '../header-map.js'
import type { HttpRequest } from '../message.js'
import { bodyOfStream, type Sending, type StreamBody, sendBody } from './bodies.js'
import { fieldsOf, headersOfFields, settingsOf } from './http2-fields.js'

/** HTTP/2 towards upstreams by node:http2. */
export function connectNodeHttp2(connection: Connection, options: ClientOptions, handler: ClientSessionHandler): ClientSession {
  return new Session(connection, options, handler)
}

class Session implements ClientSession {
  readonly protocol = 'HTTP/2'
  readonly connection: Connection
  readonly session: ClientHttp2Session
  readonly #options: ClientOptions
  readonly #handler: ClientSessionHandler
  readonly #exchanges = new Set<Exchange>()
  #total = 0
  #draining = false

  constructor(connection: Connection, options: ClientOptions, handler: ClientSessionHandler) {
    this.connection = connection
    this.#options = options
    this.#handler = handler
    const stream = streamOf(connection)
    this.session = connect('http://upstream', { createConnection: () => stream, settings: settingsOf(options.http2) })
    let reason: Error | undefined
    this.session.on('error', (error: Error) => {
      reason ??= error
    })
    stream.on('error', (error) => {
      reason ??= error
    })
    this.session.on('remoteSettings', () => this.#tellAvailable())
    this.session.on('goaway', () => {
      const first = !this.#draining
      this.#draining = true
      if (first) handler.onDraining(this)
    })
    stream.on('close', () => {
      this.#draining = true
      for (const exchange of [...this.#exchanges]) exchange.reset('connection_termination', reason)
      handler.onClose(this, reason)
    })
  }

  get active(): number {
    return this.#exchanges.size
  }

  get total(): number {
    return this.#total
  }

  get available(): boolean {
    return !this.#draining && !this.session.closed && this.active < this.#capacity()
  }

  send(request: HttpRequest, events: ClientExchangeEvents): ClientExchange {
    this.#total++
    const exchange = new Exchange(this, request, events)
    this.#exchanges.add(exchange)
    exchange.start()
    return exchange
  }

  drain(): void {
    this.#draining = true
    if (this.active === 0) this.session.close()
  }

  destroy(error?: Error): void {
    this.#draining = true
    this.connection.destroy(error)
  }

  over(exchange: Exchange): void {
    if (!this.#exchanges.delete(exchange)) return
    if (this.#draining && this.active === 0) this.session.close()
    else this.#tellAvailable()
  }

  #capacity(): number {
    return Math.min(this.session.remoteSettings?.maxConcurrentStreams ?? Infinity, this.#options.http2.maxConcurrentStreams)
  }

  #tellAvailable(): void {
    if (this.available) this.#handler.onAvailable(this)
  }
}

class Exchange implements ClientExchange {
  readonly #session: Session
  readonly #request: HttpRequest
  readonly #events: ClientExchangeEvents
  #stream: ClientHttp2Stream | undefined
  #sending: Sending | undefined
  #incoming: StreamBody | undefined
  #trailers: HeaderMap | undefined
  #over = false

  constructor(session: Session, request: HttpRequest, events: ClientExchangeEvents) {
    this.#session = session
    this.#request = request
    this.#events = events
  }

  start(): void {
    const { body, upgrade } = this.#request
    try {
      const endStream = body.length === 0 && upgrade === undefined
      const stream = this.#session.session.request(requestFields(this.#request), { endStream, waitForTrailers: !endStream })
      this.#stream = stream
      stream.on('headers', (headers: IncomingHttpHeaders & IncomingHttpStatusHeader, _flags: number, raw: unknown) => {
        if (!this.#over) this.#events.onInterim?.(Number(headers[':status']), headersOfFields(raw))
      })
      stream.on('response', (headers: IncomingHttpHeaders & IncomingHttpStatusHeader, _flags: number, raw: unknown) =>
        this.#onResponse(headers, headersOfFields(raw)),
      )
      stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw: unknown) => {
        this.#trailers = headersOfFields(raw)
      })
      let reason: Error | undefined
      stream.on('error', (error: Error) => {
        reason = error
      })
      stream.on('close', () => this.reset(reasonOf(stream.rstCode), reason))
      if (!endStream && upgrade === undefined) this.#sendBody(stream)
    } catch (error) {
      queueMicrotask(() => this.reset('protocol_error', error as Error))
    }
  }

  cancel(): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    this.#incoming?.discard()
    this.#stream?.close(constants.NGHTTP2_CANCEL)
    this.#session.over(this)
  }

  reset(reason: ResetReason, error: Error | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    this.#session.over(this)
    this.#events.onReset(reason, error)
    this.#incoming?.fail(error ?? new Error('the upstream ended the stream'))
  }

  #onResponse(fields: IncomingHttpHeaders & IncomingHttpStatusHeader, headers: HeaderMap): void {
    const stream = this.#stream
    if (this.#over || stream === undefined) return
    const status = fields[':status'] ?? 0
    const { upgrade } = this.#request
    const accepted = upgrade !== undefined && status < 300 && !stream.endAfterHeaders
    if (accepted && upgrade !== 'connect') sayUpgrade(headers, upgrade)
    const length = stream.endAfterHeaders ? 0 : lengthOf(fields)
    const body = bodyOfStream(
      stream,
      length,
      () => this.#trailers,
      () => this.#onEnd(),
    )
    this.#incoming = body
    const told = accepted && upgrade !== 'connect' ? 101 : status
    this.#events.onResponse({ status: told, headers, body: stream.endAfterHeaders ? emptyBody : body })
    if (stream.endAfterHeaders) stream.resume()
    if (accepted && !this.#over) this.#sendBody(stream)
  }

  /** The answer is whole; what is left of the request is not wanted. */
  #onEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    if (this.#stream?.writableEnded === false) this.#stream.close(constants.NGHTTP2_NO_ERROR)
    this.#session.over(this)
    this.#events.onFree()
    this.#events.onEnd()
  }

  #sendBody(stream: ClientHttp2Stream): void {
    let trailers = createHeaderMap()
    stream.on('wantTrailers', () => stream.sendTrailers(fieldsOf(trailers)))
    this.#sending = sendBody(this.#request.body, stream, {
      onEnd(last) {
        trailers = last ?? trailers
        stream.end()
      },
      onBroken: () => stream.close(constants.NGHTTP2_CANCEL),
    })
  }
}

function requestFields({
  method,
  scheme,
  authority,
  path,
  headers,
  body,
  upgrade,
}: HttpRequest): Record<string, string | string[]> {
  const extended = upgrade !== undefined && upgrade !== 'connect'
  return {
    ':method': extended ? 'CONNECT' : method,
    ...(extended ? { ':protocol': upgrade } : {}),
    ...(upgrade === 'connect' ? {} : { ':scheme': scheme, ':path': path }),
    ':authority': authority,
    ...fieldsOf(headers, upgrade === undefined ? body.length : undefined),
  }
}

function reasonOf(code: number | undefined): ResetReason {
  if (code === constants.NGHTTP2_REFUSED_STREAM) return 'remote_refused'
  if (code === constants.NGHTTP2_PROTOCOL_ERROR) return 'protocol_error'
  return 'remote_reset'
}

function lengthOf(fields: IncomingHttpHeaders): number | undefined {
  const said = fields['content-length']
  return said === undefined ? undefined : Number(said)
}
