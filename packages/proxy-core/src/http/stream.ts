import type { Connection } from '../net/connection.js'
import type { AccessLogEntry, AccessLogType } from '../observe/access-log.js'
import type { AttemptSpan } from '../observe/tracing/attempt-span.js'
import type { MirrorCall, MirrorSpan } from '../observe/tracing/mirror-span.js'
import type { RequestTrace } from '../observe/tracing/request-trace.js'
import type { RouteDecision } from '../route/decision.js'
import { finalizeRequest, finalizeResponse } from '../route/finalize.js'
import { NO_REDIRECTS, type RedirectHistory } from '../route/internal-redirect.js'
import { perRouteConfigOf, perRouteConfigsOf } from '../route/per-route-config.js'
import type { RouteTable } from '../route/table.js'
import { emptyBody } from './body.js'
import { endWatched } from './body-transform.js'
import type { ExchangeEvents, ExchangeProblem, ServerExchange, WireBytes } from './codec.js'
import { EarlyLogs } from './early-logs.js'
import type { HttpStream } from './filter.js'
import { FilterChain, type FilterChainEvents } from './filter-chain.js'
import { type FollowedRedirect, followRedirect } from './follow-redirect.js'
import type { Forwarding, ForwardSink } from './forward.js'
import type { HeaderMap } from './header-map.js'
import { isGrpc, responseOf } from './local-reply.js'
import type { ManagedConnection, ManagerRuntime } from './manager.js'
import type { Body, HttpRequest, HttpResponse, LocalReply } from './message.js'
import { createStreamInfo, noteRoute } from './new-stream-info.js'
import { receiveRequest, takeUpgrade } from './receive.js'
import { finishResponseHead } from './response-head.js'
import type { StreamInfo } from './stream-info.js'
import { StreamTimers } from './stream-timers.js'

/** One request: route, filters in order, router, filters in reverse, completion. */
export class Stream implements HttpStream, AccessLogEntry, ExchangeEvents, ForwardSink, FilterChainEvents {
  readonly request: HttpRequest
  readonly info: StreamInfo
  responseHeaders: HeaderMap | undefined
  /** Of gRPC. */
  responseTrailers: HeaderMap | undefined
  localReplyBody: string | undefined
  /** Of the line that is being written before the end. */
  type: AccessLogType | undefined
  readonly #runtime: ManagerRuntime
  readonly #peer: ManagedConnection
  readonly #exchange: ServerExchange
  #table: RouteTable | undefined
  readonly #grpc: boolean
  #route: RouteDecision | undefined
  #chain: FilterChain | undefined
  readonly #timers: StreamTimers
  #earlyLogs: EarlyLogs | undefined
  #trace: RequestTrace | undefined
  #forwarding: Forwarding | undefined
  #redirects: RedirectHistory = NO_REDIRECTS
  /** Of the body that redirects have played again: Envoy counts it each time. */
  #replayed = 0
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
    this.#table = runtime.tableFor(this.request)
    this.#grpc = isGrpc(this.request.headers)
    this.#timers = new StreamTimers(exchange, runtime, this)
    this.info = createStreamInfo(this.request, peer.connection, peer.origin, runtime.clock)
    exchange.events = this
    runtime.stats.downstreamRqTotal.inc()
    if (this.request.protocol === 'HTTP/2') runtime.stats.downstreamRqHttp2Total.inc()
    else runtime.stats.downstreamRqHttp1Total.inc()
    runtime.stats.downstreamRqActive.add(1)
  }

  get connection(): Connection {
    return this.#peer.connection
  }

  get requestHeaders(): HeaderMap {
    return this.request.headers
  }

  get downstreamWire(): WireBytes | undefined {
    return this.#exchange.wire
  }

  get upstreamWire(): WireBytes | undefined {
    return this.#forwarding?.wire
  }

  /** The codec has refused the request: there is nothing to route. */
  refuse(reply: LocalReply): void {
    this.#reply(reply, true, false)
  }

  /** The codec has cut the request off: there is only a story to tell. */
  cutOff(problem: ExchangeProblem): void {
    this.onReset(undefined, problem)
  }

  start(): void {
    const problem = this.#receive()
    if (problem !== undefined) {
      if (problem.status > 0) this.refuse(problem)
      else this.#cutOff(problem)
      return
    }
    this.#go()
  }

  #go(): void {
    this.#timers.start(this.route, this.info.start)
    this.#trace = this.#runtime.tracing?.begin(this.request, this, this.route)
    const { logOptions } = this.#runtime.manager
    if (logOptions !== undefined) this.#earlyLogs = new EarlyLogs(this, this.#runtime, logOptions).begin()
    const filters = this.#runtime.createFilters(this)
    if (filters.length === 0) this.#forward()
    else {
      this.#chain = new FilterChain(filters, this, this, this.#runtime.logger)
      this.#chain.request(this.request)
    }
  }

  countBytes(): void {
    this.info.bytesReceived = this.#exchange.bytesReceived + this.#replayed
    this.info.bytesSent = this.#exchange.bytesSent
  }

  #cutOff({ details, flag }: LocalReply): void {
    this.info.details = details
    if (flag !== undefined) this.info.flags.add(flag)
    this.#exchange.reset()
  }

  get route(): RouteDecision | undefined {
    if (this.#route === undefined && this.#table !== undefined) {
      this.#route = this.#table.resolve(this.request, this.#runtime.random)
      noteRoute(this.info, this.#route, this.request)
    }
    return this.#route
  }

  clearRoute(afresh = false): void {
    this.#route = undefined
    // Other headers may lead to another scope.
    if (afresh || this.#runtime.manager.routes.kind === 'scoped') this.#table = this.#runtime.tableFor(this.request)
  }

  perRouteConfig(filterName: string): unknown {
    return perRouteConfigOf(this.route, this.#table, filterName)
  }

  perRouteConfigs(filterName: string): readonly unknown[] {
    return perRouteConfigsOf(this.route, this.#table, filterName)
  }

  /** Makes the request the proxy's own, then asks whether the route takes an upgrade. */
  #receive(): LocalReply | undefined {
    const received = receiveRequest(this.request, this.info, this.#runtime, this.#peer)
    this.#closes = received.closes
    if (received.kind === 'reply') return received.reply
    this.#clientAddress = received.identity.clientAddress
    this.#internal = received.identity.internal
    if (!received.identity.internal) for (const name of this.#table?.internalOnlyHeaders ?? []) this.request.headers.delete(name)
    const { upgrade } = this.#exchange
    return upgrade === undefined ? undefined : takeUpgrade(this.request, upgrade, () => this.route, this.#runtime.manager)
  }

  get answered(): boolean {
    return this.#answered
  }

  get settled(): boolean {
    return this.#over || this.#answered
  }

  onFilterReply(reply: LocalReply): void {
    this.#reply(reply, reply.own !== true)
  }

  onPassed(): void {
    this.#forward()
  }

  #forward(): void {
    this.#runtime.stats.rqTotal.inc()
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
    this.#forwarding = this.#runtime.forwarder.forward(
      {
        request: this.request,
        decision,
        table,
        entry: this,
        connection: this.connection,
        clientAddress: this.#clientAddress,
        internal: this.#internal,
        redirects: this.#redirects,
        suppressEnvoyHeaders: this.#runtime.manager.suppressEnvoyHeaders,
      },
      this,
    )
  }

  onRouted(): void {
    const { info, request } = this
    this.#trace?.inject(request.headers)
    if (this.#route?.kind !== 'forward' || this.#table === undefined) return
    const before = request.path
    // Formatters of request headers count the attempt that they are made for.
    info.attempts = 1
    finalizeRequest(this.#route, this.#table, request, this)
    info.attempts = 0
    if (request.path !== before) info.originalPath = before
    info.path = request.path
    info.authority = request.authority
  }

  onAttempt(): AttemptSpan | undefined {
    return this.#trace?.attempt(this.request.headers, this)
  }

  onMirror(headers: HeaderMap, call: MirrorCall): MirrorSpan | undefined {
    return this.#trace?.mirror(headers, this, call)
  }

  onInterim(status: number, headers: HeaderMap): void {
    if (this.#runtime.manager.proxy100Continue && !this.settled && status !== 102) this.#exchange.inform(status, headers)
  }

  /** From upstream. */
  onResponse(response: HttpResponse, details = 'via_upstream'): void {
    if (this.#over || this.#answered) {
      response.body.discard()
      return
    }
    this.info.details = details
    this.info.status = response.status
    this.#finalize(response.headers)
    this.#answer(response)
  }

  /** This stream ends here, and another takes its exchange over. */
  onRedirect(response: HttpResponse, body: () => Body): boolean {
    const { request, info } = this
    if (this.settled) return false
    const met = { response, by: this.#route, history: this.#redirects }
    const followed = followRedirect(request, met, this.#table, this.#runtime.random)
    if (followed?.route !== undefined) {
      info.cluster = info.routeName = undefined
      noteRoute(info, followed.route, request)
    }
    if (followed?.kind !== 'followed') {
      if (followed !== undefined) this.#runtime.stats.redirectPassed(followed.why)
      return false
    }
    const { method, path, authority, withoutBody } = followed.target
    request.body = withoutBody ? emptyBody : body()
    Object.assign(info, { method, path, authority, status: response.status, details: 'internal_redirect' })
    this.#forwarding = undefined
    this.#complete()
    this.#peer.streamAgain()
    new Stream(this.#runtime, this.#peer, this.#exchange).#takeOver(this, followed)
    return true
  }

  /** A request that has been received already. */
  #takeOver(from: Stream, { route, history }: FollowedRedirect): void {
    this.#redirects = history
    this.#clientAddress = from.#clientAddress
    this.#internal = from.#internal
    this.#closes = from.#closes
    this.#replayed = from.#replayed + (this.request.body.length === 0 ? 0 : this.#exchange.bytesReceived)
    if (from.info.requestId !== undefined) this.info.requestId = from.info.requestId
    this.#route = route
    noteRoute(this.info, route, this.request)
    this.#go()
  }

  /** From the router, the route or the codec. */
  onReply(reply: LocalReply): void {
    this.#reply(reply, true)
  }

  /** `routed`: the route's response headers belong to it. `flagged`: formatters of local replies see its flags, as they do not of the codec's. */
  #reply(reply: LocalReply, routed: boolean, flagged = true): void {
    if (this.settled) return
    // A bad request is a messaging error to Envoy, whoever says so: what follows on the connection is not trusted.
    if (reply.closes === true || reply.status === 400) this.#closes = true
    const told = reply.format === undefined ? reply : this.#formatted(reply)
    const response = responseOf(told, this.#grpc)
    this.info.details = reply.details
    if (flagged) this.#flag(reply)
    // Before the status is set: that is how Envoy's formatters see an answer of the proxy.
    if (routed) this.#finalize(response.headers)
    this.info.status = response.status
    this.#runtime.manager.localReply?.(told, response, this, this.#grpc)
    if (!flagged) this.#flag(reply)
    this.#answer(response)
  }

  #flag({ flag }: LocalReply): void {
    if (flag !== undefined) for (const one of flag.split(',')) this.info.flags.add(one)
  }

  #formatted({ format, ...reply }: LocalReply): LocalReply {
    this.localReplyBody = reply.body
    const body = format?.(this) ?? reply.body
    this.localReplyBody = undefined
    return { ...reply, body }
  }

  onTimeout(): void {
    this.#exchange.reset()
  }

  /** What the route does to a response. Its formatters see the headers as they are so far. */
  #finalize(headers: HeaderMap): void {
    if (this.#route === undefined || this.#table === undefined) return
    this.responseHeaders = headers
    this.info.bytesReceived = this.#exchange.bytesReceived
    finalizeResponse(this.#route, this.#table, headers, this)
    this.responseHeaders = undefined
  }

  #answer(response: HttpResponse): void {
    this.#answered = true
    if (this.#chain === undefined) this.onFinished(response)
    else this.#chain.response(response)
  }

  onFinished(response: HttpResponse): void {
    if (this.#over) {
      response.body.discard()
      return
    }
    const { headers } = response
    finishResponseHead(response, this.request, this.info, this.#runtime)
    this.info.status = response.status
    this.#trace?.onResponse(headers)
    this.responseHeaders = headers
    const grpcStatus = headers.get('grpc-status')
    if (grpcStatus !== undefined) this.info.grpcStatus = grpcStatus
    else if (isGrpc(headers)) response.body = endWatched(response.body, (trailers) => this.#noteTrailers(trailers))
    // Over HTTP/2 a refused request is the trouble of its stream alone.
    const closes = this.#closes && this.request.protocol !== 'HTTP/2'
    this.#exchange.respond(response, closes || this.#peer.mustClose())
    this.#earlyLogs?.answered(response)
  }

  #noteTrailers(trailers: HeaderMap | undefined): void {
    this.responseTrailers = trailers
    const status = trailers?.get('grpc-status')
    if (status !== undefined) this.info.grpcStatus = status
  }

  onDone(): void {
    this.#complete()
  }

  /** The request breaks off in a way that can be told; without a reply, there is nothing to tell. */
  onBroken(reply?: LocalReply): void {
    if (this.#over) return
    if (reply === undefined) {
      this.#exchange.reset()
      return
    }
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
    this.#timers.stop()
    this.#earlyLogs?.stop()
    const { info } = this
    const { stats, clock, manager } = this.#runtime
    info.end = clock.monotonic()
    this.countBytes()
    this.#forwarding?.cancel()
    stats.downstreamRqActive.add(-1)
    stats.downstreamRqTime.observe(info.end - info.start)
    if (info.status > 0) stats.completed(info.status)
    this.#chain?.complete(info)
    this.#trace?.finish(this)
    this.type = 'DownstreamEnd'
    for (const log of manager.accessLogs) log.log(this)
    this.#peer.streamOver()
  }

  timedOut(reply: LocalReply): void {
    if (this.#over) return
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
