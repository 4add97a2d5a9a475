import type { Clock, Logger, Random, Watch } from '@heddle/runtime'
import type { HttpManager } from '../config/compiled.js'
import { ownAddress } from '../net/address.js'
import type { Connection } from '../net/connection.js'
import type { Served } from '../net/terminal.js'
import type { Timer, Timers } from '../net/timers.js'
import type { HttpStats } from '../observe/stats.js'
import type { HttpTracing } from '../observe/tracing/request-trace.js'
import type { RequestHead, RouteTable } from '../route/table.js'
import { type Codecs, ownCodecs, serveHttp } from './auto.js'
import type { ExchangeProblem, ServerExchange, ServerHandler, ServerOptions, ServerSession } from './codec.js'
import { createHttpDate } from './date.js'
import type { FilterDeps, HttpFilter, HttpStream } from './filter.js'
import type { Forwarder } from './forward.js'
import { type ClientCertDetails, type DescribeClient, describeClient } from './forwarded-client-cert.js'
import type { HttpRequest, LocalReply } from './message.js'
import { type StreamOrigin, streamOrigin } from './new-stream-info.js'
import { Stream } from './stream.js'

export interface HttpConnectionManagerOptions {
  readonly manager: HttpManager
  /** The route configuration of RDS, or the inline one; undefined inside: not there, every request gets 404 NR. */
  readonly routes: Watch<RouteTable | undefined>
  /** Of scoped_routes, in place of `routes`: the table that a request's headers lead to. */
  readonly tableFor?: (head: RequestHead) => RouteTable | undefined
  readonly forwarder: Forwarder
  readonly timers: Timers
  readonly stats: HttpStats
  readonly filterDeps: FilterDeps
  /** What x-forwarded-for says of clients on 127.0.0.1, as Envoy's local address does. Default: the machine's first IPv4 address. */
  readonly localAddress?: string
  /** Default: our own. */
  readonly codecs?: Codecs
  /** Of the listener, by its drain_type. */
  readonly drainsWhenFailed?: boolean
  /** Absent: the manager does not trace. */
  readonly tracing?: HttpTracing
}

/** Envoy's HttpConnectionManager at work: serves HTTP on connections that a listener has accepted. */
export interface HttpConnectionManager {
  serve(connection: Connection): Served
  /** Takes over a connection of another manager: its requests from now on. Those under way, and the limits of the connection itself, stay as they began. False: it is not an HTTP connection. */
  adopt(served: Served): boolean
  /** Requests under way, over all connections. */
  readonly active: number
  readonly connections: number
  /** Responses from now on say `connection: close`. Idle connections stay for one more request, unless `closeIdle`. */
  drain(closeIdle?: boolean): void
  /** Closes every connection at once. */
  destroy(): void
}

/** What streams use of their manager. */
export interface ManagerRuntime {
  readonly manager: HttpManager
  /** `/healthcheck/fail`: clients go elsewhere, each after its next answer. */
  isFailed(): boolean
  tableFor(head: RequestHead): RouteTable | undefined
  readonly forwarder: Forwarder
  readonly timers: Timers
  readonly stats: HttpStats
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly tracing?: HttpTracing | undefined
  /** Of the node: what add_user_agent says. */
  readonly node: FilterDeps['node']
  date(): string
  createFilters(stream: HttpStream): readonly HttpFilter[]
}

export function createHttpConnectionManager(options: HttpConnectionManagerOptions): HttpConnectionManager {
  const { manager, filterDeps, stats } = options
  const factories = manager.filters.map((filter) => filter.create(filterDeps))
  const none: readonly HttpFilter[] = []
  const runtime: ManagerRuntime = {
    manager,
    isFailed: () => options.drainsWhenFailed === true && filterDeps.healthy?.() === false,
    tableFor: options.tableFor ?? (() => options.routes.current),
    forwarder: options.forwarder,
    timers: options.timers,
    stats,
    clock: filterDeps.clock,
    random: filterDeps.random,
    logger: filterDeps.logger,
    tracing: options.tracing,
    node: filterDeps.node,
    date: createHttpDate(filterDeps.clock),
    createFilters: factories.length === 0 ? () => none : (stream) => factories.map((create) => create(stream)),
  }
  const connections = new Set<ManagedConnection>()
  const serverOptions = { http: serverOptionsOf(runtime, 'http'), https: serverOptionsOf(runtime, 'https') }
  const home: Home = { runtime, connections, serverOptions }
  const codecs = options.codecs ?? ownCodecs
  const localAddress = options.localAddress ?? ownAddress()
  let draining = false

  return {
    serve(connection) {
      const managed = new ManagedConnection(home, connection, localAddress)
      stats.downstreamCxTotal.inc()
      managed.start(codecs)
      if (draining) managed.drain(false)
      return managed
    },
    adopt(served) {
      if (!(served instanceof ManagedConnection)) return false
      served.moveTo(home)
      if (draining) served.drain(false)
      return true
    },
    get active() {
      let active = 0
      for (const connection of connections) active += connection.active
      return active
    },
    get connections() {
      return connections.size
    },
    drain(closeIdle = false) {
      draining = true
      for (const connection of connections) connection.drain(closeIdle)
    },
    destroy() {
      for (const connection of connections) connection.destroy()
    },
  }
}

/** A manager as its connections know it. */
interface Home {
  readonly runtime: ManagerRuntime
  readonly connections: Set<ManagedConnection>
  /** By scheme: the same object for every connection. */
  readonly serverOptions: Readonly<Record<'http' | 'https', ServerOptions>>
}

function serverOptionsOf({ manager, timers, stats, clock, random }: ManagerRuntime, scheme: 'http' | 'https'): ServerOptions {
  const { idle, requestHeaders: headers, delayedClose, drain, drainJitter = 0 } = manager.timeouts
  return {
    scheme,
    maxHeadersKb: manager.maxRequestHeadersKb,
    maxHeadersCount: manager.maxHeadersCount,
    acceptHttp10: manager.acceptHttp10,
    enableTrailers: manager.enableTrailers,
    ...(manager.http1 && { http1: manager.http1 }),
    proxy100Continue: manager.proxy100Continue,
    http2: manager.http2,
    timers,
    stats: stats.codec,
    ...(clock.endOfTurn !== undefined && { defer: clock.endOfTurn }),
    timeouts: { idle, headers, delayedClose, drain },
    ...(drainJitter > 0 && { drainJitterMs: () => drain * drainJitter * random.next() }),
  }
}

/** One downstream connection with its requests. */
export class ManagedConnection implements ServerHandler, Served {
  readonly connection: Connection
  readonly forwardedFor: string
  origin: StreamOrigin
  #home: Home
  #session: ServerSession | undefined
  #lifetime: Timer | undefined
  /** As x-forwarded-client-cert told last of the peer. */
  #described: { readonly details: ClientCertDetails; readonly json: boolean; readonly text: string } | undefined
  #active = 0
  /** Once a request has told it. */
  #protocol: HttpRequest['protocol'] | undefined

  constructor(home: Home, connection: Connection, localAddress: string) {
    this.#home = home
    this.connection = connection
    this.origin = streamOrigin(connection)
    const { address } = connection.remote
    this.forwardedFor = address === '127.0.0.1' ? localAddress : address
    this.#enter()
  }

  get #runtime(): ManagerRuntime {
    return this.#home.runtime
  }

  #enter(): void {
    this.#home.connections.add(this)
    this.#runtime.stats.downstreamCxActive.add(1)
  }

  #leave(): void {
    this.#home.connections.delete(this)
    this.#runtime.stats.downstreamCxActive.add(-1)
    this.#countProtocol(-1)
  }

  /** Each stream keeps the runtime that it began with. */
  moveTo(home: Home): void {
    this.#leave()
    this.#home = home
    this.origin = streamOrigin(this.connection)
    this.#enter()
    this.#countProtocol(1)
  }

  #countProtocol(change: 1 | -1): void {
    const { downstreamCxHttp1Active, downstreamCxHttp2Active } = this.#runtime.stats
    if (this.#protocol === 'HTTP/2') downstreamCxHttp2Active.add(change)
    else if (this.#protocol !== undefined) downstreamCxHttp1Active.add(change)
  }

  #begin({ request: { protocol } }: ServerExchange): void {
    this.#active++
    if (this.#protocol !== undefined) return
    this.#protocol = protocol
    const { downstreamCxHttp1Total, downstreamCxHttp2Total } = this.#runtime.stats
    if (protocol === 'HTTP/2') downstreamCxHttp2Total.inc()
    else downstreamCxHttp1Total.inc()
    this.#countProtocol(1)
  }

  start(codecs: Codecs): void {
    const { manager } = this.#runtime
    const scheme = this.connection.tls === undefined ? 'http' : 'https'
    this.#session = serveHttp(codecs, manager.codec, this.connection, this.#home.serverOptions[scheme], this)
    this.#limitLifetime(manager.timeouts.maxConnectionDuration)
  }

  get active(): number {
    return this.#active
  }

  #limitLifetime(ms: number): void {
    if (ms === 0) return
    this.#lifetime = this.#runtime.timers.timer(() => {
      const isHttp1 = this.#protocol !== undefined && this.#protocol !== 'HTTP/2'
      this.drain(!(isHttp1 && this.#runtime.manager.http1SafeMaxConnectionDuration))
    })
    this.#lifetime.start(ms)
  }

  /** The same for every request, but where a matcher says otherwise. */
  readonly describeClient: DescribeClient = (details, json) => {
    const { tls } = this.connection
    if (tls === undefined) return ''
    const known = this.#described
    if (known?.details === details && known.json === json) return known.text
    const text = describeClient(tls)(details, json)
    this.#described = { details, json, text }
    return text
  }

  onRequest(exchange: ServerExchange): void {
    this.#begin(exchange)
    new Stream(this.#runtime, this, exchange).start()
  }

  onRefused(exchange: ServerExchange, reply: LocalReply): void {
    this.#runtime.stats.downstreamCxProtocolError.inc()
    this.#begin(exchange)
    new Stream(this.#runtime, this, exchange).refuse(reply)
  }

  onInvalid(exchange: ServerExchange, problem: ExchangeProblem): void {
    this.#runtime.stats.downstreamCxProtocolError.inc()
    this.#begin(exchange)
    new Stream(this.#runtime, this, exchange).cutOff(problem)
  }

  onClose(): void {
    this.#lifetime?.stop()
    this.#leave()
    this.#runtime.stats.downstreamCxDestroy.inc()
  }

  /** This response is the connection's last. */
  mustClose(): boolean {
    const { manager, isFailed } = this.#runtime
    if (isFailed()) return true
    const most = manager.maxRequestsPerConnection
    return most > 0 && this.#session !== undefined && this.#session.total >= most
  }

  /** A stream has taken the exchange of another over. */
  streamAgain(): void {
    this.#active++
  }

  streamOver(): void {
    this.#active--
  }

  drain(closeIdle: boolean): void {
    this.#session?.drain(closeIdle)
  }

  retire(): void {
    this.#session?.retire()
  }

  destroy(): void {
    this.#session?.destroy()
  }
}
