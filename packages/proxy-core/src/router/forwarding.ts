import type { Clock, Random } from '@heddle/runtime'
import { alpnOverride } from '../filters/http/istio-alpn.js'
import { isAgreed } from '../http/agreed.js'
import { emptyBody } from '../http/body.js'
import { endWatched } from '../http/body-transform.js'
import type { ClientSession, WireBytes } from '../http/codec.js'
import type { ForwardContext, Forwarding, ForwardSink } from '../http/forward.js'
import type { HeaderMap } from '../http/header-map.js'
import { JOINED_IN_RESPONSES, joinFields } from '../http/joined-fields.js'
import type { HttpRequest, HttpResponse, LocalReply } from '../http/message.js'
import type { Connection } from '../net/connection.js'
import type { Timer, Timers } from '../net/timers.js'
import type { AttemptSpan } from '../observe/tracing/attempt-span.js'
import type { FindRequestStats, RequestStats } from '../observe/virtual-host-stats.js'
import { rewriteHost } from '../route/rewrite.js'
import type { ForwardAction } from '../route/table.js'
import { serverNameOf } from '../upstream/auto-sni.js'
import type { UpstreamCluster } from '../upstream/cluster.js'
import type { ClusterManager } from '../upstream/cluster-manager.js'
import type { Endpoint } from '../upstream/endpoint.js'
import type { Attempt, AttemptEvents, AttemptFailure } from '../upstream/pool.js'
import {
  recordAttempt,
  recordConnection,
  recordFailure,
  recordResponse,
  recordTimeout,
  requestStatsOf,
} from './attempt-record.js'
import { openConnectTunnel } from './connect-tunnel.js'
import { EndpointChoice } from './endpoint-choice.js'
import { brokenDetails, CANCELED, endOf, failureReply, flagOf, reasonText } from './failure.js'
import { chooseMirrors, sendMirror } from './mirror.js'
import { type AttemptsOwner, OneAttempt } from './one-attempt.js'
import { createReplayBody, type ReplayBody } from './replay-body.js'
import { Retries } from './retries.js'
import { retryPolicyOf, wantsRetryOfFailure, wantsRetryOfResponse } from './retry.js'
import { type RequestTimeouts, takeTimeouts, tellTimeLeft } from './timeouts.js'
import { maxDurationReply, type TryLimit, TryTimers } from './try-timers.js'
import { lendBody, refusedHandshake } from './upgrade.js'

export interface RouterRuntime {
  readonly clusters: ClusterManager
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
  readonly requestStats?: FindRequestStats | undefined
  readonly retryBufferBytes: number
  /** What x-forwarded-for says of requests that the proxy itself makes. */
  readonly localAddress: string
}

/** A response that is not wanted is read to its end, so that its connection lives on, up to so many bytes. */
const WORTH_READING = 64 * 1024

type Reason = AttemptFailure | 'per_try_timeout'

/** One request on its way upstream, through all its attempts. */
export class Forward implements Forwarding, AttemptsOwner {
  readonly #runtime: RouterRuntime
  readonly #context: ForwardContext
  readonly #sink: ForwardSink
  readonly #action: ForwardAction
  #cluster!: UpstreamCluster
  /** Undefined: an attempt that fails is the only one. */
  #retries: Retries | undefined
  #timeouts: RequestTimeouts = { globalMs: 0, perTryMs: 0, altResponse: false }
  #replay: ReplayBody | undefined
  #attempt: Attempt | undefined
  /** The last one, even after it has failed: for logs. */
  #logged: Attempt | undefined
  #attempts = 0
  /** Of the attempt that was begun last. */
  #span: AttemptSpan | undefined
  #choice!: EndpointChoice
  #requestStats: readonly RequestStats[] = []
  #endpoint: Endpoint | undefined
  #globalTimer: Timer | undefined
  /** Made when an attempt has a limit of its own. */
  #tryTimers: TryTimers | undefined
  /** The request has come whole; Envoy's timeouts and service time count from here. */
  #readyAt = -1
  /** The attempt whose answer was not good enough. */
  #dropped = 0
  #connected = false
  #answered = false
  #over = false

  constructor(runtime: RouterRuntime, context: ForwardContext, sink: ForwardSink) {
    this.#runtime = runtime
    this.#context = context
    this.#sink = sink
    this.#action = context.decision.route.action as ForwardAction
  }

  start(): void {
    const { decision, request, internal, suppressEnvoyHeaders } = this.#context
    const cluster = this.#runtime.clusters.get(decision.target.cluster)
    if (cluster === undefined) {
      this.#context.entry.info.cluster = undefined // Envoy logs the name of a cluster that is there
      this.#reply({ status: this.#action.clusterNotFoundStatus, body: '', details: 'cluster_not_found', flag: 'NC' })
      return
    }
    this.#cluster = cluster
    this.#requestStats = requestStatsOf(decision, request, this.#runtime.requestStats)
    for (const stats of this.#requestStats) stats.total.inc()
    const { metadata, altStatName, name } = cluster.compiled
    this.#context.entry.info.clusterMetadata = metadata
    if (altStatName !== name) this.#context.entry.info.clusterStatName = altStatName
    this.#timeouts = takeTimeouts(this.#action, request.headers, internal, !suppressEnvoyHeaders)
    this.#sink.onRouted?.()
    const policy = retryPolicyOf(this.#action, request, internal)
    if (policy !== undefined) {
      const { flags } = this.#context.entry.info
      const { priority } = this.#action
      const own = { cluster, priority, flags, requestStats: this.#requestStats, runtime: this.#runtime }
      this.#retries = new Retries(policy, own)
    }
    this.#choice = new EndpointChoice(cluster, this.#context, policy, this.#action)
    this.#prepareBody()
    this.#try()
  }

  get wire(): WireBytes | undefined {
    return this.#logged?.wire
  }

  cancel(): void {
    if (this.#over) return
    this.#span?.over(CANCELED)
    this.#finish()
    this.#attempt?.cancel()
  }

  /** Bodies that may be needed twice are kept; the end of the others is watched when a timeout counts from it. */
  #prepareBody(): void {
    const { request } = this.#context
    // Of an upgrade the body is a conversation: it has no end to wait for, and cannot be held twice.
    if (request.upgrade !== undefined && request.body.length !== 0) {
      this.#awaitAnswer(this.#runtime.clock.monotonic())
      return
    }
    const mirrors = chooseMirrors(this.#action, this.#runtime.random)
    if (request.body.length === 0) this.#requestRead()
    else {
      const watched = endWatched(request.body, () => this.#requestRead())
      const again = this.#retries !== undefined && this.#retries.left > 0
      if (mirrors.length > 0 || again || this.#action.internalRedirect !== undefined)
        this.#replay = createReplayBody(watched, this.#bufferLimit())
      else request.body = watched
    }
    for (const mirror of mirrors) sendMirror(mirror, this.#context, this.#replay?.open(true), this.#sink, this.#runtime)
  }

  #bufferLimit(): number {
    const { route, virtualHost } = this.#context.decision
    return route.bufferLimitBytes ?? virtualHost.bufferLimitBytes ?? this.#runtime.retryBufferBytes
  }

  #requestRead(): void {
    this.#readyAt = this.#runtime.clock.monotonic()
    this.#context.entry.info.requestEnd = this.#readyAt
    this.#awaitAnswer(this.#readyAt)
  }

  #awaitAnswer(now: number): void {
    if (this.#over || this.#timeouts.globalMs === 0) return
    this.#globalTimer = this.#runtime.timers.timer(() => this.#timedOut())
    this.#globalTimer.start(this.#timeouts.globalMs, now)
  }

  #try(): void {
    const { request, entry, decision } = this.#context
    const { info } = entry
    this.#attempts++
    info.attempts = this.#attempts
    if (this.#attempts > 1 && this.#readyAt >= 0)
      tellTimeLeft(request.headers, this.#timeouts, this.#runtime.clock.monotonic() - this.#readyAt)
    if (decision.virtualHost.includeAttemptCountInRequest) request.headers.set('x-envoy-attempt-count', String(this.#attempts))
    const endpoint = this.#choice.next()
    if (endpoint === undefined) {
      this.#replyFailed({ status: 503, body: 'no healthy upstream', details: 'no_healthy_upstream', flag: 'UH' })
      return
    }
    this.#endpoint = endpoint
    recordAttempt(info, endpoint, this.#runtime.clock.monotonic())
    if (this.#action.autoHostRewrite && endpoint.hostname !== undefined)
      rewriteHost(request, endpoint.hostname, this.#action.appendForwardedHost)
    this.#connected = false
    this.#limitTry()
    this.#attempt = undefined
    this.#span = this.#sink.onAttempt?.()
    const attempts = this.#attempts
    const events = this.#retries === undefined ? this : new OneAttempt(this, attempts)
    const attempt = this.#sendTo(endpoint, events)
    // A failure may have been told already, and the next attempt begun.
    if (attempts === this.#attempts) this.#attempt = this.#logged = attempt
    if (this.#over) attempt.cancel()
  }

  #limitTry(): void {
    const { perTryMs } = this.#timeouts
    const idleMs = this.#retries?.policy.perTryIdleTimeoutMs ?? 0
    if (perTryMs > 0 || idleMs > 0) this.#tryLimits().start(perTryMs, idleMs)
  }

  #tryLimits(): TryTimers {
    this.#tryTimers ??= new TryTimers(this.#runtime.timers, (limit) => this.#tryTimedOut(limit))
    return this.#tryTimers
  }

  #sendTo(endpoint: Endpoint, events: AttemptEvents): Attempt {
    const { request, entry, connection } = this.#context
    if (request.upgrade === 'connect' && this.#action.terminatesConnect)
      return openConnectTunnel(this.#cluster, endpoint, request, events)
    const protocol = this.#cluster.protocolFor(request.protocol, endpoint)
    const alpn = alpnOverride(entry.info, protocol === 'HTTP1' ? 'HTTP/1.1' : 'HTTP/2', this.#cluster.compiled.metadata)
    const { autoSni } = this.#cluster.compiled.http
    const serverName = autoSni && serverNameOf(autoSni, request)
    return this.#cluster
      .pool(endpoint, protocol, { alpn, serverName, priority: this.#action.priority, downstream: connection })
      .send(this.#requestOfAttempt(), events)
  }

  #requestOfAttempt(): HttpRequest {
    const { request } = this.#context
    const { upgrade } = request
    const lent = upgrade !== undefined && this.#retries !== undefined
    const own = this.#replay?.open() ?? (lent ? lendBody(request.body) : request.body)
    const body = this.#tryTimers?.watched(own) ?? own
    return body === request.body ? request : { ...request, body }
  }

  onConnected(connection: Connection, protocol: ClientSession['protocol']): void {
    this.#connected = true
    const longestMs = this.#timeouts.maxStreamDurationMs ?? this.#cluster.compiled.http.maxStreamDurationMs
    if (longestMs > 0) this.#tryLimits().connected(longestMs)
    this.#span?.connected(protocol)
    recordConnection(this.#context.entry.info, connection, protocol, this.#runtime.clock.monotonic())
    if (this.#endpoint !== undefined) this.#cluster.outlierFor(this.#endpoint)?.onConnected(this.#endpoint)
  }

  onInterim(status: number, headers: HeaderMap): void {
    this.#tryTimers?.heard()
    if (!this.#answered && !this.#over) this.#sink.onInterim?.(status, headers)
  }

  onResponse(response: HttpResponse): void {
    const { status, headers } = response
    joinFields(headers, JOINED_IN_RESPONSES)
    this.#span?.answered(status)
    if (this.#endpoint !== undefined) recordResponse(this.#cluster, this.#endpoint, this.#context.request.headers, response)
    this.#tryTimers?.answered()
    const retries = this.#retries
    if (retries !== undefined && wantsRetryOfResponse(retries.policy, status, headers) && retries.may(this.#isReplayable())) {
      this.#cluster.stats.retried(status)
      this.#drop(response)
      const delayMs = retries.policy.rateLimitedDelayMs?.(headers, this.#runtime.clock.now())
      retries.later(this.#attempts, delayMs, () => this.#try())
      return
    }
    if (this.#followed(response)) return
    this.#completed(status)
    this.#deliver(response)
  }

  #completed(status: number): void {
    this.#cluster.stats.completed(status, this.#context.internal ? 'internal' : 'external')
    for (const stats of this.#requestStats) stats.completed(status)
  }

  /** An internal redirect: the request goes on as another, once it has been read and can be sent again. */
  #followed(response: HttpResponse): boolean {
    const policy = this.#action.internalRedirect
    if (policy === undefined || !policy.statuses.has(response.status)) return false
    const again = this.#readyAt >= 0 && (this.#replay === undefined || this.#replay.replayable)
    const followed = again && this.#sink.onRedirect(response, () => this.#replay?.open() ?? emptyBody)
    this.#cluster.stats.internalRedirect(followed)
    if (!followed) return false
    this.#finish()
    this.#drop(response)
    return true
  }

  /** Of an answer that another attempt shall better. */
  #drop(response: HttpResponse): void {
    this.#tryTimers?.stop()
    this.#span?.over(CANCELED)
    const { length } = response.body
    if (length !== undefined && length <= WORTH_READING) response.body.discard()
    else this.#attempt?.cancel()
    this.#attempt = undefined
    this.#dropped = this.#attempts
  }

  /** Nobody listens to this attempt any more: another one has begun, or will. */
  superseded(attempt: number): boolean {
    return attempt !== this.#attempts || attempt === this.#dropped
  }

  #deliver(response: HttpResponse): void {
    const { clock } = this.#runtime
    const { entry, suppressEnvoyHeaders } = this.#context
    const { headers } = response
    this.#answered = true
    this.#replay?.seal()
    // What was agreed on takes as long as it takes.
    if (isAgreed(this.#context.request, response)) this.#globalTimer?.stop()
    const now = clock.monotonic()
    const serviceTime = this.#readyAt < 0 ? 0 : Math.floor(now - this.#readyAt)
    entry.info.upstreamServiceTimeMs = serviceTime
    entry.info.upstreamFirstByte = now
    if (!suppressEnvoyHeaders && this.#readyAt >= 0) headers.set('x-envoy-upstream-service-time', String(serviceTime))
    this.#countAttempts(response)
    if (this.#tryTimers !== undefined) response.body = this.#tryTimers.watched(response.body)
    if (this.#choice.setCookie !== undefined) headers.append('set-cookie', this.#choice.setCookie)
    if (this.#attempts > 1 && response.status < 500) this.#cluster.stats.upstreamRqRetrySuccess.inc()
    const refused = refusedHandshake(this.#context.request, entry.info.upstreamProtocol, response)
    if (refused === undefined) this.#sink.onResponse(response)
    else this.#sink.onResponse(refused, 'websocket_handshake_unsuccessful')
  }

  #countAttempts(response: HttpResponse): void {
    if (this.#context.decision.virtualHost.includeAttemptCountInResponse)
      response.headers.set('x-envoy-attempt-count', String(this.#attempts))
  }

  onEnd(): void {
    if (this.#over) return
    const { info } = this.#context.entry
    info.upstreamEnd = this.#runtime.clock.monotonic()
    this.#span?.over()
    this.#cluster.stats.upstreamRqTime.observe(info.upstreamEnd - info.start)
    this.#finish()
  }

  onFailure(reason: AttemptFailure, error?: Error): void {
    if (this.#over) return
    this.#span?.over(endOf(reason))
    this.#noteFailure(reason, error)
    if (this.#answered) {
      const { info } = this.#context.entry
      info.flags.add(flagOf(reason))
      info.details = brokenDetails(reason, error)
      this.#finish()
      return
    }
    this.#attemptFailed(reason, () => this.#replyFailed(failureReply(reason, error, this.#attempts > 1)))
  }

  #noteFailure(reason: AttemptFailure, error: Error | undefined): void {
    const { info } = this.#context.entry
    if (reason === 'pending_overflow') info.endpoint = undefined // it never got to one
    if (this.#endpoint !== undefined) recordFailure(this.#cluster, this.#endpoint, reason)
    const connecting = reason === 'connect_failure' || reason === 'connect_timeout'
    if (connecting && error !== undefined) info.upstreamTransportFailureReason = reasonText(error)
  }

  #attemptFailed(reason: Reason, giveUp: () => void): void {
    this.#tryTimers?.stop()
    this.#attempt = undefined
    const retries = this.#retries
    if (
      retries !== undefined &&
      wantsRetryOfFailure(retries.policy, reason, this.#connected) &&
      retries.may(this.#isReplayable())
    )
      retries.later(this.#attempts, undefined, () => this.#try())
    else giveUp()
  }

  /** Counts as a response of the cluster, as in Envoy. */
  #replyFailed(reply: LocalReply): void {
    this.#completed(reply.status)
    this.#replyUnread(reply)
  }

  #replyUnread(reply: LocalReply): void {
    // What of a small body has come while an endpoint was tried is read, so that the connection lives on.
    if (this.#replay === undefined && this.#context.request.upgrade === undefined) this.#context.request.body.discard()
    this.#reply(reply)
  }

  #tryTimedOut(limit: TryLimit): void {
    if (this.#over) return
    const { stats } = this.#cluster
    const tooLong = limit === 'upstream_max_stream_duration_reached'
    if (tooLong) stats.upstreamRqMaxDurationReached.inc()
    else if (limit === 'upstream_per_try_idle_timeout') stats.upstreamRqPerTryIdleTimeout.inc()
    else stats.upstreamRqPerTryTimeout.inc()
    if (this.#endpoint !== undefined && !tooLong) recordTimeout(this.#cluster, this.#endpoint, false)
    this.#span?.over(CANCELED)
    this.#attempt?.cancel()
    if (this.#answered) this.#cutOff(tooLong ? 'UMSDR' : 'UT', limit)
    else
      this.#attemptFailed('per_try_timeout', () => {
        if (tooLong) this.#replyUnread(maxDurationReply(this.#readyAt >= 0))
        else this.#replyFailed({ ...this.#timeoutReply(), details: limit })
      })
  }

  #timeoutReply(): Omit<LocalReply, 'details'> {
    return this.#timeouts.altResponse
      ? { status: 204, body: '', flag: 'UT' }
      : { status: 504, body: 'upstream request timeout', flag: 'UT' }
  }

  #timedOut(): void {
    if (this.#over) return
    this.#cluster.stats.upstreamRqTimeout.inc()
    for (const stats of this.#requestStats) stats.timeout.inc()
    if (this.#endpoint !== undefined) recordTimeout(this.#cluster, this.#endpoint, this.#answered)
    this.#span?.over(CANCELED)
    this.#attempt?.cancel()
    if (!this.#answered) {
      this.#replyFailed({ ...this.#timeoutReply(), details: 'response_timeout' })
      return
    }
    this.#cutOff('UT', 'response_timeout')
  }

  /** Of an answer that has begun the rest does not come. */
  #cutOff(flag: string, details: string): void {
    const { info } = this.#context.entry
    info.flags.add(flag)
    info.details = details
    this.#finish()
    this.#sink.onTimeout()
  }

  /** The request can be sent once more. */
  #isReplayable(): boolean {
    const { body, upgrade } = this.#context.request
    return this.#replay === undefined ? body.length === 0 || upgrade !== undefined : this.#replay.replayable
  }

  #reply(reply: LocalReply): void {
    if (this.#over) return
    this.#finish()
    this.#replay?.close()
    const counted = this.#attempts > 0 && this.#context.decision.virtualHost.includeAttemptCountInResponse
    this.#sink.onReply(
      counted ? { ...reply, headers: [...(reply.headers ?? []), ['x-envoy-attempt-count', String(this.#attempts)]] } : reply,
    )
  }

  #finish(): void {
    this.#over = true
    this.#globalTimer?.stop()
    this.#tryTimers?.stop()
    this.#retries?.stop()
  }
}
