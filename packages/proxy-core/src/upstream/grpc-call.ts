import type { ClientSession } from '../http/codec.js'
import { createHeaderMap, type HeaderMap } from '../http/header-map.js'
import type { Body, BodySink, HttpRequest, HttpResponse } from '../http/message.js'
import type { Connection } from '../net/connection.js'
import type { Timer } from '../net/timers.js'
import type { GrpcCallOptions, GrpcClientOptions, GrpcStream, GrpcStreamEvents } from './grpc-client.js'
import { frameMessage, MessageReader } from './grpc-messages.js'
import { GRPC_STATUS, statusIn, statusOfHttp } from './grpc-status.js'
import type { Host } from './host.js'
import type { Attempt, AttemptEvents, AttemptFailure } from './pool.js'

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const ENOUGH_BUFFERED = 64 * 1024

const FAILURES: Readonly<Record<AttemptFailure, string>> = {
  connect_failure: 'the server cannot be reached',
  connect_timeout: 'the server cannot be reached in time',
  connection_termination: 'the connection broke off',
  remote_reset: 'the server reset the stream',
  remote_refused: 'the server refused the stream',
  protocol_error: 'the server does not speak HTTP/2 as RFC 9113 says',
  pending_overflow: 'the circuit breaker of the cluster is open',
  overflow: 'the circuit breaker of the cluster is open',
}

/** One call on its way through a cluster's pool. */
export class GrpcCall implements GrpcStream, AttemptEvents {
  readonly #options: GrpcClientOptions
  readonly #call: GrpcCallOptions
  readonly #events: GrpcStreamEvents
  readonly #reader: MessageReader
  readonly #messages: MessageBody
  #attempt: Attempt | undefined
  #deadline: Timer | undefined
  #host: Host | undefined
  #headers: HeaderMap = createHeaderMap()
  #httpStatus = 0
  #over = false

  constructor(options: GrpcClientOptions, call: GrpcCallOptions, events: GrpcStreamEvents) {
    this.#options = options
    this.#call = call
    this.#events = events
    this.#messages = new MessageBody(() => events.onDrain?.())
    this.#reader = new MessageReader(options.maxMessageBytes ?? MAX_MESSAGE_BYTES, (message) => {
      if (!this.#over) events.onMessage(message)
    })
  }

  start(): void {
    const { clusters, cluster: name, timers } = this.#options
    const { timeoutMs = 0 } = this.#call
    const cluster = clusters.get(name)
    const endpoint = cluster?.pick({}, undefined)
    if (cluster === undefined || endpoint === undefined) {
      const reason = cluster === undefined ? `there is no cluster ${name}` : `no endpoint of ${name} is healthy`
      // Later: who asks has not got the stream yet.
      queueMicrotask(() => this.#finish(GRPC_STATUS.unavailable, reason))
      return
    }
    this.#deadline = timers.timer(() => {
      this.#finish(GRPC_STATUS.deadlineExceeded, `no answer in ${timeoutMs} ms`)
      this.#attempt?.cancel()
    })
    this.#deadline.start(timeoutMs)
    this.#host = cluster.host(endpoint)
    this.#attempt = cluster.pool(endpoint, cluster.protocolFor('HTTP/2')).send(this.#request(), this)
  }

  #request(): HttpRequest {
    const { path, authority, metadata, timeoutMs = 0 } = this.#call
    const { cluster, localAddress } = this.#options
    const headers = createHeaderMap()
    headers.appendLower('te', 'trailers')
    if (timeoutMs > 0) headers.appendLower('grpc-timeout', `${Math.ceil(timeoutMs)}m`)
    headers.appendLower('content-type', 'application/grpc')
    for (const [name, value] of metadata ?? []) headers.append(name, value)
    headers.appendLower('x-envoy-internal', 'true')
    if (timeoutMs > 0) headers.appendLower('x-envoy-expected-rq-timeout-ms', String(Math.ceil(timeoutMs)))
    if (localAddress !== undefined) headers.appendLower('x-forwarded-for', localAddress)
    const line = { method: 'POST', scheme: 'http', protocol: 'HTTP/2' as const, authority: authority ?? cluster, path }
    return { ...line, headers, body: this.#messages }
  }

  get buffered(): number {
    return this.#messages.buffered
  }

  send(message: Uint8Array): boolean {
    return this.#over || this.#messages.push(frameMessage(message))
  }

  end(): void {
    this.#messages.end()
  }

  cancel(): void {
    if (this.#over) return
    this.#close()
    this.#attempt?.cancel()
  }

  onConnected(_connection: Connection, _protocol: ClientSession['protocol']): void {}

  onResponse(response: HttpResponse): void {
    const { status, headers, body } = response
    this.#httpStatus = status
    this.#headers = headers
    if (this.#host !== undefined) {
      if (status >= 500) this.#host.errors++
      else this.#host.successes++
    }
    this.#events.onHeaders?.(headers)
    if (status !== 200 || statusIn(headers) !== undefined) {
      body.discard()
      this.#settle(headers)
    } else body.consume(this.#sink())
  }

  #sink(): BodySink {
    return {
      data: (chunk) => {
        const problem = this.#over ? undefined : this.#reader.push(chunk)
        if (problem !== undefined) this.#broken(problem)
        return true
      },
      end: (trailers) => {
        if (!this.#reader.clean) this.#broken('the answer ends in the middle of a message')
        else this.#settle(trailers)
      },
      abort: () => this.#finish(GRPC_STATUS.unavailable, FAILURES.connection_termination),
    }
  }

  #broken(problem: string): void {
    this.#finish(GRPC_STATUS.internal, problem)
    this.#attempt?.cancel()
  }

  /** Told before the end of the body is; what decides is in the trailers. */
  onEnd(): void {}

  onFailure(reason: AttemptFailure, error?: Error): void {
    if (this.#host !== undefined) this.#host.errors++
    const detail = error === undefined ? '' : `: ${error.message}`
    this.#finish(reason === 'remote_reset' ? GRPC_STATUS.cancelled : GRPC_STATUS.unavailable, `${FAILURES[reason]}${detail}`)
  }

  #settle(fields: HeaderMap | undefined): void {
    const status = fields === undefined ? undefined : statusIn(fields)
    const http = `the server answered HTTP ${this.#httpStatus} without a grpc-status`
    this.#finish(status?.code ?? statusOfHttp(this.#httpStatus), status?.message ?? http, fields)
  }

  #finish(code: number, message: string, trailers: HeaderMap = this.#headers): void {
    if (this.#over) return
    this.#close()
    this.#events.onStatus({ code, message, trailers })
  }

  #close(): void {
    this.#over = true
    this.#deadline?.stop()
    this.#messages.discard()
  }
}

/** The request: messages as they are sent. */
class MessageBody implements Body {
  readonly length: undefined
  buffered = 0
  readonly #drained: () => void
  #queue: Buffer[] = []
  #sink: BodySink | undefined
  #paused = false
  #ending = false
  #over = false

  constructor(drained: () => void) {
    this.#drained = drained
  }

  push(framed: Buffer): boolean {
    if (this.#over || this.#ending) return true
    this.#queue.push(framed)
    this.buffered += framed.length
    this.#flow()
    return this.buffered < ENOUGH_BUFFERED
  }

  end(): void {
    this.#ending = true
    this.#flow()
  }

  consume(sink: BodySink): void {
    this.#sink = sink
    this.#flow()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    const waited = this.buffered >= ENOUGH_BUFFERED
    this.#paused = false
    this.#flow()
    if (waited && this.buffered < ENOUGH_BUFFERED && !this.#over) this.#drained()
  }

  discard(): void {
    this.#over = true
    this.#queue = []
    this.buffered = 0
  }

  #flow(): void {
    while (this.#sink !== undefined && !this.#paused && !this.#over && this.#queue.length > 0) {
      const framed = this.#queue.shift()!
      this.buffered -= framed.length
      if (!this.#sink.data(framed)) this.#paused = true
    }
    if (this.#sink === undefined || this.#over || !this.#ending || this.#queue.length > 0) return
    this.#over = true
    this.#sink.end()
  }
}
