import type { Timer } from '../net/timers.js'
import type { RouteDecision } from '../route/decision.js'
import { limitedGrpcTimeout } from '../router/timeouts.js'
import type { ServerExchange } from './codec.js'
import { isGrpc } from './local-reply.js'
import type { ManagerRuntime } from './manager.js'
import type { LocalReply } from './message.js'

const DEADLINE_EXCEEDED = 4

interface TimedStream {
  readonly answered: boolean
  timedOut(reply: LocalReply): void
}

/** What limits a request: stream_idle_timeout, request_timeout, max_stream_duration; the route's before the manager's. */
export class StreamTimers {
  readonly #exchange: ServerExchange
  readonly #runtime: ManagerRuntime
  readonly #stream: TimedStream
  #idle: Timer | undefined
  #idleMs = 0
  /** How far the stream was when its idle timer last fired; -1: it has not. */
  #seen = -1
  #request: Timer | undefined
  #longest: Timer | undefined

  constructor(exchange: ServerExchange, runtime: ManagerRuntime, stream: TimedStream) {
    this.#exchange = exchange
    this.#runtime = runtime
    this.#stream = stream
  }

  /** `now`: Clock.monotonic. */
  start(route: RouteDecision | undefined, now: number): void {
    const { manager, timers } = this.#runtime
    const { timeouts } = manager
    const action = route?.kind === 'forward' && route.route.action.kind === 'forward' ? route.route.action : undefined
    this.#idleMs = action?.idleTimeoutMs ?? timeouts.streamIdle
    if (this.#idleMs > 0) {
      this.#idle = timers.timer(() => this.#lookBack())
      this.#idle.start(this.#idleMs, now)
    }
    if (timeouts.request > 0) {
      this.#request = timers.timer(() => this.#requestLate())
      this.#request.start(timeouts.request, now)
    }
    const { headers } = this.#exchange.request
    const grpcMs = limitedGrpcTimeout(headers, action?.grpcTimeoutHeaderMax)
    if (grpcMs !== undefined && grpcMs > 0 && isGrpc(headers)) headers.set('grpc-timeout', `${grpcMs}m`)
    const longestMs = grpcMs ?? action?.maxStreamDurationMs ?? timeouts.maxStreamDuration
    if (longestMs > 0) {
      this.#longest = timers.timer(() => this.#tooLong())
      this.#longest.start(longestMs, now)
    }
  }

  stop(): void {
    this.#idle?.stop()
    this.#request?.stop()
    this.#longest?.stop()
  }

  /** It looks back when it fires, so that a byte in flight costs nothing. */
  #lookBack(): void {
    const now = this.#exchange.bytesReceived + this.#exchange.bytesSent + (this.#stream.answered ? 1 : 0)
    if (now === this.#seen || (this.#seen < 0 && now === 0)) {
      // Who was silent: the client with its request, or the upstream with its answer.
      const status = this.#exchange.requestComplete ? 504 : 408
      this.#runtime.stats.downstreamRqIdleTimeout.inc()
      this.#stream.timedOut({ status, body: 'stream timeout', details: 'stream_idle_timeout', flag: 'SI' })
      return
    }
    this.#seen = now
    this.#idle?.start(this.#idleMs)
  }

  #requestLate(): void {
    if (this.#exchange.requestComplete) return
    this.#runtime.stats.downstreamRqTimeout.inc()
    this.#stream.timedOut({ status: 408, body: 'request timeout', details: 'request_overall_timeout' })
  }

  #tooLong(): void {
    this.#runtime.stats.downstreamRqMaxDurationReached.inc()
    this.#stream.timedOut({
      status: 504,
      body: 'downstream duration timeout',
      details: 'max_duration_timeout',
      grpcStatus: DEADLINE_EXCEEDED,
    })
  }
}
