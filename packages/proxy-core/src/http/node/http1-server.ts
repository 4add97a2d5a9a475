import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection } from '../../net/connection.js'
import { streamOf } from '../../net/connection-stream.js'
import type { Timer } from '../../net/timers.js'
import { emptyBody } from '../body.js'
import type { ServerHandler, ServerOptions, ServerSession } from '../codec.js'
import { CODEC_ERROR, LOW_VERSION, TOO_LARGE, TOO_MANY } from '../h1/head.js'
import { reasonOf } from '../h1/status-line.js'
import { readTarget } from '../h1/target.js'
import { createHeaderMap, type HeaderMap } from '../header-map.js'
import type { HttpRequest, LocalReply } from '../message.js'
import { bodyOfStream } from './bodies.js'
import { type ExchangeHome, NodeServerExchange } from './http1-exchange.js'
import { headersOfRaw, isOfConnection, rawValue } from './raw-headers.js'

/** HTTP/1.1 towards clients by node:http. */
export function serveNodeHttp1(connection: Connection, options: ServerOptions, handler: ServerHandler): ServerSession {
  const session = new Session(connection, options, handler)
  session.begin()
  return session
}

interface Refusal {
  readonly status: number
  readonly details: string
  readonly body?: string
}

const HEADER_TIMEOUT: Refusal = { status: 408, details: 'request_header_timeout', body: 'request header timeout' }

class Session implements ServerSession, ExchangeHome {
  readonly options: ServerOptions
  readonly stream: Duplex
  readonly #connection: Connection
  readonly #handler: ServerHandler
  readonly #idle: Timer
  readonly #headers: Timer
  readonly #linger: Timer
  #exchange: NodeServerExchange | undefined
  #total = 0
  #draining = false
  #closing = false

  constructor(connection: Connection, options: ServerOptions, handler: ServerHandler) {
    this.#connection = connection
    this.options = options
    this.#handler = handler
    this.#idle = options.timers.timer(() => this.#shutdown())
    this.#headers = options.timers.timer(() => this.#refuse(HEADER_TIMEOUT))
    this.#linger = options.timers.timer(() => connection.destroy())
    this.stream = streamOf(connection, { heard: () => this.#heard() })
  }

  begin(): void {
    const { stream } = this
    let reason: Error | undefined
    stream.on('error', (error) => {
      reason = error
    })
    stream.on('close', () => this.#onClose(reason))
    this.#idle.start(this.options.timeouts.idle)
    const server = createServer({
      maxHeaderSize: this.options.maxHeadersKb * 1024,
      requireHostHeader: false,
      ...{ keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 },
    })
    server.maxHeadersCount = 0
    this.#listen(server)
    server.emit('connection', stream)
  }

  get active(): number {
    return this.#exchange === undefined ? 0 : 1
  }

  get total(): number {
    return this.#total
  }

  get draining(): boolean {
    return this.#draining
  }

  drain(closeIdle: boolean): void {
    this.#draining = true
    if (closeIdle && this.#exchange === undefined && !this.#headers.running) this.#shutdown()
  }

  retire(): void {
    this.#draining = true
    if (this.#exchange === undefined && !this.#closing) this.#shutdown()
  }

  destroy(error?: Error): void {
    this.#connection.destroy(error)
  }

  finished(exchange: NodeServerExchange, close: boolean): void {
    if (this.#exchange !== exchange) return
    this.#exchange = undefined
    exchange.events.onDone()
    if (close || this.#draining) this.#shutdown()
    else this.#idle.start(this.options.timeouts.idle)
  }

  #listen(server: Server): void {
    server.on('request', (request, response) => this.#onRequest(request, response, undefined))
    server.on('checkExpectation', (request, response) => this.#onRequest(request, response, undefined))
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (this.options.proxy100Continue !== true) response.writeContinue()
      this.#onRequest(request, response, undefined)
    })
    const onTunnel = (request: IncomingMessage, _stream: Duplex, head: Buffer): void => {
      if (head.length > 0) this.stream.unshift(head)
      this.#onRequest(request, undefined, request.method === 'CONNECT' ? 'connect' : request.headers.upgrade?.toLowerCase())
    }
    server.on('upgrade', onTunnel)
    server.on('connect', onTunnel)
    server.on('clientError', (error: Error & { code?: string }) => this.#onParseError(error.code ?? ''))
  }

  #heard(): void {
    if (this.#exchange === undefined && !this.#closing && !this.#headers.running)
      this.#headers.start(this.options.timeouts.headers)
  }

  #onRequest(message: IncomingMessage, response: ServerResponse | undefined, upgrade: string | undefined): void {
    const { rawHeaders, httpVersionMinor: minor } = message
    this.#idle.stop()
    this.#headers.stop()
    this.#total++
    const host = rawValue(rawHeaders, 'host') ?? (minor === 0 ? this.options.http1?.defaultHost : undefined)
    const { method = '', url = '' } = message
    const target = readTarget({ method, target: url, host }, this.options.scheme)
    if (message.httpVersionMajor !== 1) this.#refuse(LOW_VERSION)
    else if ('details' in target) this.#refuse(target)
    else if (minor === 0 && !this.options.acceptHttp10) this.#refuse(LOW_VERSION)
    else if (rawHeaders.length / 2 > this.options.maxHeadersCount) this.#refuse(TOO_MANY)
    else {
      const headers = headersOfRaw(
        rawHeaders,
        (name) => name === 'host' || (upgrade === undefined && (isOfConnection(name) || name === 'upgrade')),
      )
      if (this.options.proxy100Continue !== true) headers.delete('expect')
      const request: HttpRequest = {
        ...{ method, scheme: target.scheme, authority: target.authority, path: target.path },
        protocol: minor === 0 ? 'HTTP/1.0' : 'HTTP/1.1',
        headers,
        body: emptyBody,
      }
      if (request.authority === '' && host === undefined) request.missingHost = true
      this.#begin(request, message, response, upgrade)
    }
  }

  #begin(
    request: HttpRequest,
    message: IncomingMessage,
    response: ServerResponse | undefined,
    upgrade: string | undefined,
  ): void {
    const from = response === undefined ? this.stream : message
    const length = response === undefined ? undefined : lengthOf(message)
    const trailers = (): HeaderMap | undefined =>
      message.rawTrailers.length > 0 && this.options.enableTrailers
        ? headersOfRaw(message.rawTrailers, isOfConnection)
        : undefined
    const incoming = length === 0 ? undefined : bodyOfStream(from, length, trailers, () => {})
    const exchange = new NodeServerExchange(this, request, upgrade, incoming, response)
    message.on('error', () => {})
    this.#exchange = exchange
    if (incoming === undefined) message.resume()
    else request.body = incoming
    this.#handler.onRequest(exchange)
  }

  #onParseError(code: string): void {
    const exchange = this.#exchange
    if (exchange === undefined) {
      this.#refuse(code === 'HPE_HEADER_OVERFLOW' ? TOO_LARGE : code === 'HPE_INVALID_VERSION' ? LOW_VERSION : CODEC_ERROR)
      return
    }
    const { status, details } = CODEC_ERROR
    this.#closing = true
    exchange.broken({ status, body: reasonOf(status), details, flag: 'DPE' })
  }

  #refuse({ status, details, body }: Refusal): void {
    if (this.#closing || this.#exchange !== undefined) return
    this.#headers.stop()
    this.#idle.stop()
    const request: HttpRequest = {
      ...{ method: '', scheme: this.options.scheme, authority: '', path: '', protocol: 'HTTP/1.1' as const },
      headers: createHeaderMap(),
      body: emptyBody,
    }
    const exchange = new NodeServerExchange(this, request, undefined, undefined, undefined)
    this.#exchange = exchange
    const reply: LocalReply =
      body === undefined ? { status, details, body: reasonOf(status), flag: 'DPE' } : { status, details, body }
    this.#handler.onRefused(exchange, reply)
  }

  #onClose(error: Error | undefined): void {
    this.#closing = true
    for (const timer of [this.#idle, this.#headers, this.#linger]) timer.stop()
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.onConnectionClose(error)
    this.#handler.onClose(error)
  }

  /** Half-closes, and gives the client time to read (RFC 9112 §9.6). */
  #shutdown(): void {
    this.#closing = true
    this.#idle.stop()
    this.stream.end()
    if (this.options.timeouts.delayedClose === 0) this.stream.end(() => this.#connection.destroy())
    else this.#linger.start(this.options.timeouts.delayedClose)
    this.stream.resume()
  }
}

function lengthOf({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined
  return Number(headers['content-length'] ?? 0)
}
