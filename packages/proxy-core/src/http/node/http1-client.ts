import { Agent, type ClientRequest, type IncomingMessage, request as send } from 'node:http'
import type { Duplex } from 'node:stream'
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
import type { HttpRequest } from '../message.js'
import { bodyOfStream, type Sending, type StreamBody, sendBody } from './bodies.js'
import { headersOfRaw, isOfConnection, rawOf } from './raw-headers.js'

/** HTTP/1.1 towards upstreams by node:http. */
export function connectNodeHttp1(connection: Connection, options: ClientOptions, handler: ClientSessionHandler): ClientSession {
  return new Session(connection, options, handler)
}

/** An agent of one connection, which is there already. */
class OneConnection extends Agent {
  readonly #stream: Duplex

  constructor(stream: Duplex) {
    super({ keepAlive: true, maxSockets: 1 })
    this.#stream = stream
  }

  override createConnection(): Duplex {
    return this.#stream
  }

  // What node:http does here to sockets a Duplex has not.
  override keepSocketAlive(): boolean {
    return true
  }

  override reuseSocket(): void {}
}

class Session implements ClientSession {
  readonly protocol = 'HTTP/1.1'
  readonly connection: Connection
  readonly options: ClientOptions
  readonly agent: Agent
  readonly #handler: ClientSessionHandler
  #exchange: Exchange | undefined
  #total = 0
  #usable = true

  constructor(connection: Connection, options: ClientOptions, handler: ClientSessionHandler) {
    this.connection = connection
    this.options = options
    this.#handler = handler
    // An upstream that ends its side while nobody asks it anything is not used again; node:http looks at sockets for that.
    const stream = streamOf(connection, { ended: () => this.#exchange === undefined && this.destroy() })
    this.agent = new OneConnection(stream)
    let reason: Error | undefined
    stream.on('error', (error) => {
      reason = error
    })
    stream.on('close', () => {
      this.#usable = false
      this.#exchange?.onConnectionClose(reason)
      handler.onClose(this, reason)
    })
  }

  get available(): boolean {
    return this.#usable && this.#exchange === undefined
  }

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

  /** The exchange is over; `keeps`: the connection may take another one. */
  free(exchange: Exchange, keeps: boolean): void {
    if (this.#exchange !== exchange) return
    this.#exchange = undefined
    if (!keeps) this.#usable = false
    exchange.events.onFree()
    if (this.#usable) this.#handler.onAvailable(this)
    else this.connection.destroy()
  }

  forget(exchange: Exchange): void {
    if (this.#exchange === exchange) this.#exchange = undefined
  }
}

class Exchange implements ClientExchange {
  readonly events: ClientExchangeEvents
  readonly #session: Session
  readonly #request: HttpRequest
  #sent: ClientRequest | undefined
  #sending: Sending | undefined
  #incoming: StreamBody | undefined
  #requestOver = false
  #over = false

  constructor(session: Session, request: HttpRequest, events: ClientExchangeEvents) {
    this.#session = session
    this.#request = request
    this.events = events
  }

  start(): void {
    const { method, path, authority, body, upgrade } = this.#request
    const { agent, options } = this.#session
    try {
      const sent = send({
        ...{ agent, method, path: method === 'CONNECT' ? authority : path, headers: this.#fields() },
        maxHeaderSize: options.maxHeadersKb * 1024,
      })
      this.#sent = sent
      sent.on('information', ({ statusCode, rawHeaders }) => {
        if (!this.#over) this.events.onInterim?.(statusCode, headersOfRaw(rawHeaders, isOfConnection))
      })
      sent.on('response', (response) => this.#onResponse(response))
      sent.on('upgrade', (response, stream, head) => this.#onTunnel(response, stream, head))
      sent.on('connect', (response, stream, head) => this.#onTunnel(response, stream, head))
      sent.on('error', (error: Error & { code?: string }) =>
        this.#reset(error.code?.startsWith('HPE_') ? 'protocol_error' : 'connection_termination', error),
      )
      // Nothing follows an upgrade before the upstream has agreed (CVE-2025-64763).
      if (upgrade !== undefined) sent.flushHeaders()
      else this.#sendBody(sent)
      if (upgrade === undefined && body.length === undefined) sent.flushHeaders()
    } catch (error) {
      // What node:http refuses to write.
      queueMicrotask(() => {
        this.#reset('protocol_error', error as Error)
        this.#session.destroy()
      })
    }
  }

  cancel(): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    this.#session.forget(this)
    this.#incoming?.discard()
    this.#session.destroy()
  }

  onConnectionClose(error: Error | undefined): void {
    this.#reset(this.#incoming === undefined ? 'connection_termination' : 'protocol_error', error)
  }

  #fields(): string[] {
    const { headers, authority, body, upgrade, method } = this.#request
    const tunnel = upgrade !== undefined
    const fields = ['host', authority]
    fields.push(
      ...rawOf(
        headers,
        (name) => name === 'host' || name === 'content-length' || (!tunnel && (isOfConnection(name) || name === 'upgrade')),
      ),
    )
    if (tunnel) return fields
    if (body.length === undefined) fields.push('transfer-encoding', 'chunked')
    else if (body.length > 0 || headers.has('content-length') || SAYS_LENGTH.has(method))
      fields.push('content-length', String(body.length))
    return fields
  }

  #sendBody(sent: ClientRequest): void {
    this.#sending = sendBody(this.#request.body, sent, {
      onEnd: (trailers) => {
        if (trailers !== undefined && this.#session.options.enableTrailers) sent.addTrailers([...trailers])
        sent.end()
        this.#requestOver = true
      },
      // The upstream must not take what it has for a whole request.
      onBroken: (error) => this.#session.destroy(error),
    })
  }

  #onResponse(response: IncomingMessage): void {
    if (this.#over) {
      response.resume()
      return
    }
    const { rawHeaders, statusCode: status = 0 } = response
    if (rawHeaders.length / 2 > this.#session.options.maxHeadersCount) {
      this.#reset('protocol_error', new Error('the response has too many headers'))
      this.#session.destroy()
      return
    }
    const length = lengthOf(response, this.#request.method)
    const body = bodyOfStream(
      response,
      length,
      () => trailersOf(response),
      () => this.#free(this.#sent?.shouldKeepAlive === true),
    )
    this.#incoming = body
    response.on('error', (error) => this.#reset('protocol_error', error))
    this.events.onResponse({ status, headers: headersOfRaw(rawHeaders, isOfConnection), body: length === 0 ? emptyBody : body })
    // Nobody consumes what is empty, but its end must be read.
    if (length === 0) response.resume()
  }

  /** Only 101 switches protocols, and only 2xx opens a tunnel (CVE-2024-23326). */
  #onTunnel(response: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { upgrade, method } = this.#request
    const { statusCode: status = 0, rawHeaders } = response
    const accepted = upgrade === 'connect' ? status >= 200 && status < 300 : upgrade !== undefined && status === 101
    if (!accepted && method !== 'CONNECT') {
      this.#reset('protocol_error', new Error('the upstream switches protocols unasked'))
      this.#session.destroy()
      return
    }
    if (head.length > 0) stream.unshift(head)
    const headers = headersOfRaw(rawHeaders, (name) => !accepted && isOfConnection(name))
    const body = bodyOfStream(
      stream,
      undefined,
      () => undefined,
      () => this.#free(false),
    )
    this.#incoming = body
    this.events.onResponse({ status, headers, body })
    if (!accepted || this.#over) return
    this.#sending = sendBody(this.#request.body, stream, {
      onEnd: () => void stream.end(),
      onBroken: (error) => this.#session.destroy(error),
    })
  }

  /** `keeps`: both sides would go on. An answer that came before the request was sent whole ends the connection. */
  #free(keeps: boolean): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    this.#session.free(this, keeps && this.#requestOver)
    this.events.onEnd()
  }

  #reset(reason: ResetReason, error: Error | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#sending?.stop()
    this.#session.forget(this)
    this.events.onReset(reason, error)
    this.#incoming?.fail(error ?? new Error('the upstream closed the connection'))
  }
}

/** RFC 9110 §8.6: of these an empty body is told, too. */
const SAYS_LENGTH: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

function trailersOf(response: IncomingMessage): ReturnType<typeof headersOfRaw> | undefined {
  return response.rawTrailers.length === 0 ? undefined : headersOfRaw(response.rawTrailers, isOfConnection)
}

function lengthOf({ headers, statusCode }: IncomingMessage, method: string): number | undefined {
  if (method === 'HEAD' || statusCode === 204 || statusCode === 304) return 0
  const said = headers['content-length']
  return said === undefined ? undefined : Number(said)
}
