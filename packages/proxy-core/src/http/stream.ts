import { formatAddress } from '../net/address.js'
import type { Connection } from '../net/connection.js'
import type { Timer } from '../net/timers.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { RouteDecision } from '../route/decision.js'
import { finalizeRequest, finalizeResponse } from '../route/finalize.js'
import type { RouteTable } from '../route/table.js'
import type { ExchangeEvents, ExchangeProblem, ServerExchange } from './codec.js'
import type { HttpFilter, HttpStream } from './filter.js'
import type { Forwarding, ForwardSink } from './forward.js'
import type { HeaderMap } from './header-map.js'
import { identifyRequest, setJoined } from './identity.js'
import { isGrpc, responseOf } from './local-reply.js'
import type { ManagedConnection, ManagerRuntime } from './manager.js'
import type { HttpRequest, HttpResponse, LocalReply } from './message.js'
import { createStreamInfo } from './new-stream-info.js'
import { normalizePath } from './normalize.js'
import type { StreamInfo } from './stream-info.js'

/** One request: route, filters in order, router, filters in reverse, completion. */
export class Stream implements HttpStream, AccessLogEntry, ExchangeEvents, ForwardSink {
  readonly request: HttpRequest
  readonly info: StreamInfo
  responseHeaders: HeaderMap | undefined
  readonly #runtime: ManagerRuntime
  readonly #peer: ManagedConnection
  readonly #exchange: ServerExchange
  readonly #table: RouteTable | undefined
  readonly #grpc: boolean
  readonly #timers: Timer[] = []
  #route: RouteDecision | undefined
  #filters: readonly HttpFilter[] = []
  #forwarding: Forwarding | undefined
  #clientAddress = ''
  #internal = false
  #closes = false
  #answered = false
  #over = false

  constructor(runtime: ManagerRuntime, peer: ManagedConnection, exchange: ServerExchange) {
    this.#runtime = runtime
    this.#peer = peer
    this.#exchange = exchange
    this.request = exchange.request
    this.#table = runtime.routes.current
    this.#grpc = isGrpc(this.request.headers)
    this.info = createStreamInfo(this.request, peer.connection, runtime.clock)
    exchange.events = this
    runtime.stats.downstreamRqTotal.inc()
    runtime.stats.downstreamRqActive.add(1)
  }

  get connection(): Connection {
    return this.#peer.connection
  }

  get requestHeaders(): HeaderMap {
    return this.request.headers
  }

  /** The codec has refused the request: there is nothing to route. */
  refuse(reply: LocalReply): void {
    this.onReply(reply)
  }

  /** The codec has cut the request off: there is only a story to tell. */
  cutOff(problem: ExchangeProblem): void {
    this.onReset(undefined, problem)
  }

  start(): void {
    const problem = this.#receive()
    if (problem !== undefined) {
      this.onReply(problem)
      return
    }
    this.#armTimers()
    this.#filters = this.#runtime.createFilters(this)
    this.#runFilters(0)
  }

  get route(): RouteDecision | undefined {
    if (this.#route === undefined && this.#table !== undefined) {
      this.#route = this.#table.resolve(this.request, this.#runtime.random)
      this.#noteRoute(this.#route)
    }
    return this.#route
  }

  clearRoute(): void {
    this.#route = undefined
  }

  perRouteConfig(filterName: string): unknown {
    const decision = this.route
    if (decision === undefined || decision.kind === 'none')
      return decision?.virtualHost?.perFilterConfig.get(filterName) ?? this.#table?.perFilterConfig.get(filterName)
    const ofCluster = decision.kind === 'forward' ? decision.target.perFilterConfig?.get(filterName) : undefined
    return (
      ofCluster ??
      decision.route?.perFilterConfig.get(filterName) ??
      decision.virtualHost.perFilterConfig.get(filterName) ??
      this.#table?.perFilterConfig.get(filterName)
    )
  }

  /** Checks the request and makes it the proxy's own: path, identity, route. */
  #receive(): LocalReply | undefined {
    const { manager } = this.#runtime
    const { request, info } = this
    if (this.#exchange.upgrade !== undefined && this.#exchange.upgrade !== 'h2c') return refusal(403, 'upgrade_failed')
    if (request.authority === '') {
      this.#closes = true
      return refusal(400, 'missing_host_header')
    }
    if (manager.headersWithUnderscores !== 'ALLOW' && !this.#underscoresAllowed()) return this.#refuseUnderscore()
    stripHost(request, manager, this.connection.local.port)
    const normalized = normalizePath(request.path, manager)
    if (normalized.kind !== 'path') info.path = normalized.path
    if (normalized.kind === 'reject') {
      this.#closes = true
      return refusal(400, 'path_normalization_failed')
    }
    if (normalized.kind === 'redirect')
      return { ...refusal(307, 'path_normalization_failed'), headers: [['location', normalized.path]] }
    request.path = normalized.path
    const identity = identifyRequest(request, manager, this.#peer)
    this.#clientAddress = identity.clientAddress
    this.#internal = identity.internal
    if (identity.requestId !== undefined) info.requestId = identity.requestId
    info.path = request.path
    info.authority = request.authority
    if (identity.clientAddress !== this.connection.remote.address) {
      info.downstreamDirectRemote = info.downstreamRemote
      info.downstreamRemote = formatAddress({ address: identity.clientAddress, port: 0 })
    }
    return undefined
  }

  /** As the codec refuses a head: nothing of it is told. */
  #refuseUnderscore(): LocalReply {
    this.#closes = true
    this.#runtime.stats.requestsRejectedWithUnderscores.inc()
    this.info.method = this.info.path = this.info.authority = ''
    return { status: 400, body: 'Bad Request', details: 'http1.unexpected_underscore', flag: 'DPE' }
  }

  #underscoresAllowed(): boolean {
    const { headers } = this.request
    if (this.#runtime.manager.headersWithUnderscores === 'DROP_HEADER') {
      const { droppedHeadersWithUnderscores } = this.#runtime.stats
      headers.deleteWhere((name) => {
        const dropped = name.includes('_')
        if (dropped) droppedHeadersWithUnderscores.inc()
        return dropped
      })
      return true
    }
    for (let i = 0; i < headers.size; i++) if (headers.nameAt(i).includes('_')) return false
    return true
  }

  #noteRoute(decision: RouteDecision): void {
    const { info } = this
    if (decision.virtualHost !== undefined) info.virtualHost = decision.virtualHost.name
    if (decision.kind === 'none') return
    if (decision.route !== undefined) {
      if (decision.route.name !== '') info.routeName = decision.route.name
      if (decision.route.metadata !== undefined) info.routeMetadata = decision.route.metadata
    }
    if (decision.kind === 'forward') info.cluster = decision.target.cluster
  }

  #runFilters(first: number): void {
    for (let i = first; i < this.#filters.length; i++) {
      const filter = this.#filters[i]!
      if (filter.onRequest === undefined) continue
      let outcome: ReturnType<NonNullable<HttpFilter['onRequest']>>
      try {
        outcome = filter.onRequest(this.request, this)
      } catch (error) {
        this.#filterFailed(error)
        return
      }
      if (outcome === undefined) continue
      if (outcome instanceof Promise) {
        const next = i + 1
        outcome.then(
          (reply) => {
            if (this.#over || this.#answered) return
            if (reply === undefined) this.#runFilters(next)
            else this.#filterReply(reply)
          },
          (error) => this.#filterFailed(error),
        )
        return
      }
      this.#filterReply(outcome)
      return
    }
    this.#forward()
  }

  #filterReply(reply: LocalReply): void {
    this.#answer(responseOf(reply, this.#grpc), reply)
  }

  #filterFailed(error: unknown): void {
    if (this.#over || this.#answered) return
    this.#runtime.logger.error({ error, path: this.request.path }, 'an HTTP filter failed')
    this.#filterReply({ status: 500, body: 'Internal Server Error', details: 'filter_failed' })
  }

  #forward(): void {
    const decision = this.route
    const table = this.#table
    if (decision === undefined || table === undefined || decision.kind === 'none') {
      this.#runtime.stats.noRoute.inc()
      this.onReply({ status: 404, body: '', details: 'route_not_found', flag: 'NR' })
      return
    }
    if (decision.kind === 'reply') {
      this.onReply(decision.reply)
      return
    }
    const before = this.request.path
    finalizeRequest(decision, table, this.request, this)
    if (this.request.path !== before) this.info.originalPath = before
    this.info.path = this.request.path
    this.info.authority = this.request.authority
    this.#forwarding = this.#runtime.forwarder.forward(
      {
        request: this.request,
        decision,
        table,
        entry: this,
        connection: this.connection,
        clientAddress: this.#clientAddress,
        internal: this.#internal,
        suppressEnvoyHeaders: this.#runtime.manager.suppressEnvoyHeaders,
      },
      this,
    )
  }

  /** From upstream. */
  onResponse(response: HttpResponse): void {
    if (this.#over || this.#answered) {
      response.body.discard()
      return
    }
    this.info.details = 'via_upstream'
    this.info.status = response.status
    const decision = this.#route
    if (decision !== undefined && this.#table !== undefined) finalizeResponse(decision, this.#table, response.headers, this)
    this.#answer(response, undefined)
  }

  /** From the router, the route or the codec. */
  onReply(reply: LocalReply): void {
    if (this.#over || this.#answered) return
    const response = responseOf(reply.format === undefined ? reply : { ...reply, body: reply.format(this) }, this.#grpc)
    const decision = this.#route
    // Before the status is set: that is how Envoy's formatters see a direct answer.
    if (decision !== undefined && this.#table !== undefined) finalizeResponse(decision, this.#table, response.headers, this)
    this.#answer(response, reply)
  }

  onTimeout(): void {
    this.#exchange.reset()
  }

  #answer(response: HttpResponse, reply: LocalReply | undefined): void {
    if (reply !== undefined) {
      if (this.#over || this.#answered) return
      this.info.details = reply.details
      if (reply.flag !== undefined) for (const flag of reply.flag.split(',')) this.info.flags.add(flag)
      this.info.status = response.status
    }
    this.#answered = true
    this.#runResponseHooks(response, this.#filters.length - 1)
  }

  #runResponseHooks(response: HttpResponse, first: number): void {
    for (let i = first; i >= 0; i--) {
      const filter = this.#filters[i]!
      if (filter.onResponse === undefined) continue
      let outcome: void | Promise<void>
      try {
        outcome = filter.onResponse(response, this)
      } catch (error) {
        this.#runtime.logger.error({ error, path: this.request.path }, 'an HTTP filter failed on a response')
        this.#exchange.reset()
        return
      }
      if (!(outcome instanceof Promise)) continue
      const next = i - 1
      outcome.then(
        () => this.#runResponseHooks(response, next),
        (error) => {
          this.#runtime.logger.error({ error, path: this.request.path }, 'an HTTP filter failed on a response')
          if (!this.#over) this.#exchange.reset()
        },
      )
      return
    }
    this.#send(response)
  }

  #send(response: HttpResponse): void {
    if (this.#over) {
      response.body.discard()
      return
    }
    const { manager, date } = this.#runtime
    const { headers } = response
    this.info.status = response.status
    if (manager.serverHeader === 'OVERWRITE' || (manager.serverHeader === 'APPEND_IF_ABSENT' && !headers.has('server')))
      headers.set('server', manager.serverName)
    if (!headers.has('date')) headers.appendLower('date', date())
    if (manager.via !== '') setJoined(headers, 'via', manager.via, ', ')
    if (manager.alwaysSetRequestIdInResponse && this.info.requestId !== undefined)
      headers.set('x-request-id', this.info.requestId)
    this.responseHeaders = headers
    const grpcStatus = headers.get('grpc-status')
    if (grpcStatus !== undefined) this.info.grpcStatus = grpcStatus
    this.#exchange.respond(response, this.#closes || this.#peer.mustClose())
  }

  onDone(): void {
    this.#complete()
  }

  onBroken(reply: LocalReply): void {
    if (this.#over) return
    if (reply.flag !== undefined) this.info.flags.add(reply.flag)
    if (this.#answered) {
      this.info.details = reply.details
      this.#exchange.reset()
      return
    }
    this.#forwarding?.cancel()
    this.#forwarding = undefined
    this.onReply(reply)
  }

  onReset(_error?: Error, problem: ExchangeProblem = DISCONNECTED): void {
    if (this.#over) return
    this.#runtime.stats.downstreamRqRxReset.inc()
    const { info } = this
    // A reset that came from upstream, or from a timeout, has been told already.
    if (info.details === '' || info.details === 'via_upstream') {
      info.flags.add(problem.flag)
      info.details = problem.details
    }
    this.#complete()
  }

  #complete(): void {
    if (this.#over) return
    this.#over = true
    for (const timer of this.#timers) timer.stop()
    const { info } = this
    const { stats, clock, manager, logger } = this.#runtime
    info.end = clock.monotonic()
    info.bytesReceived = this.#exchange.bytesReceived
    info.bytesSent = this.#exchange.bytesSent
    this.#forwarding?.cancel()
    stats.downstreamRqActive.add(-1)
    stats.downstreamRqTime.observe(info.end - info.start)
    if (info.status > 0) stats.completed(info.status)
    for (const filter of this.#filters) {
      try {
        filter.onComplete?.(info)
      } catch (error) {
        logger.error({ error }, 'an HTTP filter failed on completion')
      }
    }
    for (const log of manager.accessLogs) log.log(this)
    this.#peer.streamOver()
  }

  #armTimers(): void {
    const { timeouts } = this.#runtime.manager
    const route = this.route
    const action = route?.kind === 'forward' && route.route.action.kind === 'forward' ? route.route.action : undefined
    const idle = action?.idleTimeoutMs ?? timeouts.streamIdle
    if (idle > 0) this.#armIdle(idle)
    if (timeouts.request > 0)
      this.#arm(timeouts.request, () => {
        if (!this.#exchange.requestComplete)
          this.#timedOut({ status: 408, body: 'request timeout', details: 'request_overall_timeout' })
      })
    const longest = action?.maxStreamDurationMs ?? timeouts.maxStreamDuration
    if (longest > 0)
      this.#arm(longest, () =>
        this.#timedOut({ status: 504, body: 'downstream duration timeout', details: 'max_duration_timeout' }),
      )
  }

  #arm(ms: number, run: () => void): Timer {
    const timer = this.#runtime.timers.timer(run)
    timer.start(ms)
    this.#timers.push(timer)
    return timer
  }

  /** Looks back when it fires, so that a byte in flight costs nothing. */
  #armIdle(ms: number): void {
    let seen = -1
    const timer = this.#arm(ms, () => {
      const now = this.#exchange.bytesReceived + this.#exchange.bytesSent + (this.#answered ? 1 : 0)
      if (now === seen || (seen < 0 && now === 0))
        this.#timedOut({ status: 504, body: 'stream timeout', details: 'stream_idle_timeout', flag: 'SI' })
      else {
        seen = now
        timer.start(ms)
      }
    })
  }

  #timedOut(reply: LocalReply): void {
    if (this.#over) return
    this.#runtime.stats.downstreamRqTimeout.inc()
    if (!this.#answered) {
      this.#forwarding?.cancel()
      this.#forwarding = undefined
      this.onReply(reply)
      return
    }
    this.info.details = reply.details
    if (reply.flag !== undefined) this.info.flags.add(reply.flag)
    this.#exchange.reset()
  }
}

const DISCONNECTED: ExchangeProblem = { details: 'downstream_remote_disconnect', flag: 'DC' }

/** Envoy's answers before routing: an empty body and no flag. */
function refusal(status: number, details: string): LocalReply {
  return { status, body: '', details }
}

function stripHost(
  request: HttpRequest,
  manager: { stripAnyHostPort: boolean; stripMatchingHostPort: boolean; stripTrailingHostDot: boolean },
  localPort: number,
): void {
  if (manager.stripAnyHostPort || manager.stripMatchingHostPort) {
    const port = /:(\d+)$/.exec(request.authority)
    if (port !== null && (manager.stripAnyHostPort || Number(port[1]) === localPort))
      request.authority = request.authority.slice(0, port.index)
  }
  if (manager.stripTrailingHostDot && request.authority.endsWith('.')) request.authority = request.authority.slice(0, -1)
}
