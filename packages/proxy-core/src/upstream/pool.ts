import { type Codecs, isHttp2 } from '../http/auto.js'
import type {
  ClientExchange,
  ClientExchangeEvents,
  ClientSession,
  ClientSessionHandler,
  HttpCodec,
  ResetReason,
  WireBytes,
} from '../http/codec.js'
import type { HeaderMap } from '../http/header-map.js'
import type { HttpRequest, HttpResponse } from '../http/message.js'
import type { Connection } from '../net/connection.js'
import type { Timer, Timers } from '../net/timers.js'
import { connectUpstream, type UpstreamConnectOptions } from './connect.js'

/** Why an attempt came to nothing. `pending_overflow`: it might not even wait for a connection. */
export type AttemptFailure = ResetReason | 'connect_failure' | 'connect_timeout' | 'overflow' | 'pending_overflow'

/** How the connections of a pool are spoken on. */
export type PoolProtocol = 'HTTP1' | 'HTTP2' | 'AUTO'

/** What the sender of an attempt hears: `onResponse` and `onEnd`, or a failure. Nothing after `cancel`. */
export interface AttemptEvents {
  /** The request goes out on this connection now. */
  onConnected(connection: Connection, protocol: ClientSession['protocol']): void
  /** An interim answer: 1xx, not 101. */
  onInterim?(status: number, headers: HeaderMap): void
  onResponse(response: HttpResponse): void
  onEnd(): void
  onFailure(reason: AttemptFailure, error?: Error): void
}

export interface Attempt {
  /** Absent: it has not been sent, or its codec does not count. */
  readonly wire?: WireBytes | undefined
  cancel(): void
}

export interface PoolOptions extends UpstreamConnectOptions {
  readonly codecs: Codecs
  /** AUTO: what ALPN settles. */
  readonly protocol: PoolProtocol
  readonly timers: Timers
}

/**
 * HTTP connections to one endpoint: reused when idle (HTTP/1.1) or shared (HTTP/2), opened when needed, bounded by the cluster's
 * circuit breakers.
 */
export interface Pool {
  /** May call `events` before it returns. */
  send(request: HttpRequest, events: AttemptEvents): Attempt
  /** Idle connections close now, busy ones after their request; waiting requests are still served. */
  drain(): void
  /** Closes everything at once. */
  destroy(): void
  readonly empty: boolean
}

export function createPool(options: PoolOptions): Pool {
  return new HttpPool(options)
}

class HttpPool implements Pool {
  readonly #o: PoolOptions
  /** Those that may take a request; the one used last is taken first. */
  readonly #ready: Member[] = []
  readonly #members = new Set<Member>()
  readonly #waiting = new Set<PoolAttempt>()
  #connecting = 0
  #draining = false
  /** Requests that a new connection is expected to take at once. */
  #perConnection: number

  constructor(options: PoolOptions) {
    this.#o = options
    this.#perConnection = options.protocol === 'HTTP2' ? options.cluster.http.http2.maxConcurrentStreams : 1
  }

  get empty(): boolean {
    return this.#members.size === 0 && this.#waiting.size === 0 && this.#connecting === 0
  }

  send(request: HttpRequest, events: AttemptEvents): Attempt {
    const attempt = new PoolAttempt(this, request, events)
    const member = this.#readyMember()
    if (member !== undefined) {
      this.#assign(attempt, member)
      return attempt
    }
    const { resources, stats } = this.#o
    if (!resources.mayWait()) {
      stats.upstreamRqPendingOverflow.inc()
      events.onFailure('pending_overflow')
      return attempt
    }
    this.#waiting.add(attempt)
    resources.pending++
    stats.upstreamRqPendingTotal.inc()
    stats.upstreamRqPendingActive.add(1)
    this.#o.host.pendingRequests++
    this.#connectIfNeeded()
    return attempt
  }

  drain(): void {
    this.#draining = true
    this.#ready.length = 0
    if (this.#waiting.size === 0) for (const member of [...this.#members]) member.session.drain()
    else for (const member of [...this.#members]) if (member.session.active === 0) member.session.drain()
  }

  destroy(): void {
    this.#draining = true
    for (const attempt of [...this.#waiting]) {
      this.forget(attempt)
      attempt.fail('connection_termination', new Error('the endpoint was removed'))
    }
    for (const member of [...this.#members]) member.session.destroy()
  }

  /** The attempt waits no more. */
  forget(attempt: PoolAttempt): void {
    if (!this.#waiting.delete(attempt)) return
    this.#o.resources.pending--
    this.#o.stats.upstreamRqPendingActive.add(-1)
    this.#o.host.pendingRequests--
  }

  released(): void {
    this.#o.resources.requests--
    this.#o.host.activeRequests--
    this.#o.stats.upstreamRqActive.add(-1)
  }

  available(member: Member): void {
    const { session } = member
    while (this.#waiting.size > 0 && session.available) {
      const next = firstOf(this.#waiting)!
      this.forget(next)
      this.#assign(next, member)
    }
    if (this.#draining) {
      session.drain()
      return
    }
    if (!session.available) return
    if (!member.ready) {
      member.ready = true
      this.#ready.push(member)
    }
    if (session.active === 0) member.idle.start(this.#o.cluster.http.idleTimeoutMs)
  }

  draining(member: Member): void {
    this.#notReady(member)
    this.#connectIfNeeded()
  }

  closed(member: Member): void {
    this.#members.delete(member)
    member.idle.stop()
    member.lifetime?.stop()
    this.#notReady(member)
    this.#connectIfNeeded()
  }

  #readyMember(): Member | undefined {
    for (;;) {
      const member = this.#ready[this.#ready.length - 1]
      if (member === undefined || (member.session.available && !member.session.connection.closed)) return member
      this.#ready.pop()
      member.ready = false
    }
  }

  #notReady(member: Member): void {
    if (!member.ready) return
    member.ready = false
    const ready = this.#ready
    const at = ready.lastIndexOf(member)
    if (at === ready.length - 1) ready.pop()
    else if (at >= 0) ready.splice(at, 1)
  }

  #assign(attempt: PoolAttempt, member: Member): void {
    const { resources, host, stats, cluster } = this.#o
    if (!resources.mayRequest()) {
      attempt.fail('overflow')
      return
    }
    const { session } = member
    member.idle.stop()
    resources.requests++
    host.activeRequests++
    host.totalRequests++
    stats.upstreamRqTotal.inc()
    stats.upstreamRqActive.add(1)
    attempt.begin(session)
    const most = cluster.http.maxRequestsPerConnection
    if (most > 0 && session.total >= most) {
      stats.upstreamCxMaxRequests.inc()
      session.drain()
    }
    if (!session.available) this.#notReady(member)
    else if (session.active === 0) member.idle.start(cluster.http.idleTimeoutMs)
  }

  #connectIfNeeded(): void {
    const { resources, stats } = this.#o
    while (this.#connecting * this.#perConnection < this.#waiting.size) {
      // One connection is always allowed: else a pool could wait for ever for what another holds.
      if (!resources.mayConnect() && this.#members.size + this.#connecting > 0) {
        stats.upstreamCxOverflow.inc()
        return
      }
      this.#connect()
    }
  }

  #connect(): void {
    this.#connecting++
    connectUpstream(this.#o).then(
      (connection) => {
        this.#connecting--
        this.#connected(connection)
      },
      (error: Error & { code?: string }) => {
        this.#connecting--
        // Whoever waits may do better elsewhere than with an endpoint that cannot be reached.
        for (const attempt of [...this.#waiting]) {
          this.forget(attempt)
          attempt.fail(error.code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_failure', error)
        }
      },
    )
  }

  #connected(connection: Connection): void {
    const { cluster, timers, stats, clock } = this.#o
    const { maxHeadersKb, maxHeadersCount, enableTrailers, http1, http2 } = cluster.http
    const member = new Member(this, timers)
    const session = this.#codecFor(connection).connect(
      connection,
      {
        ...{ maxHeadersKb, maxHeadersCount, enableTrailers, http2, timers },
        ...(http1 && { http1 }),
        stats: stats.codec,
        ...(clock.endOfTurn !== undefined && { defer: clock.endOfTurn }),
      },
      member,
    )
    member.join(session)
    if (session.protocol === 'HTTP/2') {
      this.#perConnection = http2.maxConcurrentStreams
      stats.upstreamCxHttp2Total.inc()
    } else stats.upstreamCxHttp1Total.inc()
    if (cluster.http.maxConnectionDurationMs > 0) {
      member.lifetime = timers.timer(() => session.drain())
      member.lifetime.start(cluster.http.maxConnectionDurationMs)
    }
    this.#members.add(member)
    this.available(member)
    if (this.#waiting.size > 0) this.#connectIfNeeded()
  }

  #codecFor(connection: Connection): HttpCodec {
    const { codecs, protocol } = this.#o
    const http2 = protocol === 'HTTP2' || (protocol === 'AUTO' && isHttp2(connection.tls?.alpn))
    return http2 ? codecs.http2 : codecs.http1
  }
}

/** A connection of the pool. What its session says before it has joined is for nobody. */
class Member implements ClientSessionHandler {
  session!: ClientSession
  readonly idle: Timer
  lifetime: Timer | undefined
  /** Among those that may take a request. */
  ready = false
  readonly #pool: HttpPool
  #joined = false

  constructor(pool: HttpPool, timers: Timers) {
    this.#pool = pool
    this.idle = timers.timer(() => this.session.drain())
  }

  join(session: ClientSession): void {
    this.session = session
    this.#joined = true
  }

  onAvailable(): void {
    if (this.#joined) this.#pool.available(this)
  }

  onDraining(): void {
    if (this.#joined) this.#pool.draining(this)
  }

  onClose(): void {
    if (!this.#joined) return
    this.#joined = false
    this.#pool.closed(this)
  }
}

/** One request's stay in the pool: waiting, then on a connection. */
class PoolAttempt implements Attempt, ClientExchangeEvents {
  readonly #pool: HttpPool
  readonly #request: HttpRequest
  readonly #events: AttemptEvents
  #exchange: ClientExchange | undefined
  #active = false
  #over = false

  constructor(pool: HttpPool, request: HttpRequest, events: AttemptEvents) {
    this.#pool = pool
    this.#request = request
    this.#events = events
  }

  get wire(): WireBytes | undefined {
    return this.#exchange?.wire
  }

  begin(session: ClientSession): void {
    this.#active = true
    this.#events.onConnected(session.connection, session.protocol)
    if (this.#over) return
    const exchange = session.send(this.#request, this)
    if (this.#over) exchange.cancel()
    this.#exchange = exchange
  }

  cancel(): void {
    if (this.#over) return
    this.#over = true
    this.#pool.forget(this)
    this.#release()
    this.#exchange?.cancel()
  }

  fail(reason: AttemptFailure, error?: Error): void {
    if (this.#over) return
    this.#over = true
    this.#release()
    this.#events.onFailure(reason, error)
  }

  onFree(): void {
    this.#release()
  }

  onInterim(status: number, headers: HeaderMap): void {
    if (!this.#over) this.#events.onInterim?.(status, headers)
  }

  onResponse(response: HttpResponse): void {
    if (!this.#over) this.#events.onResponse(response)
  }

  onEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#release()
    this.#events.onEnd()
  }

  onReset(reason: ResetReason, error?: Error): void {
    this.fail(reason, error)
  }

  #release(): void {
    if (!this.#active) return
    this.#active = false
    this.#pool.released()
  }
}

function firstOf<T>(set: ReadonlySet<T>): T | undefined {
  for (const item of set) return item
  return undefined
}
