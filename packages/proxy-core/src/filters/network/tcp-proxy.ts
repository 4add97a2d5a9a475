import type { Clock, Random } from '@heddle/runtime'
import type { TcpProxy, TcpTarget } from '../../config/compiled.js'
import type { PeerExchange } from '../../config/metadata-exchange.js'
import { sniHostPort } from '../../config/sni-forward.js'
import { createConnectionInfo, streamOrigin } from '../../http/new-stream-info.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { CLOSE_REASON, closeFor, initializationFailure, UPSTREAM_FAILURE } from '../../net/close-reason.js'
import type { Connection } from '../../net/connection.js'
import { type Copying, joinConnections } from '../../net/copy.js'
import type { Served, Terminal } from '../../net/terminal.js'
import type { Timer, Timers } from '../../net/timers.js'
import type { AccessLogType } from '../../observe/access-log.js'
import { GreetingReader, PEER_EXCHANGE } from '../../observe/peer/greeting.js'
import { DOWNSTREAM_PEER, UPSTREAM_PEER } from '../../observe/peer/workload.js'
import type { TcpStats } from '../../observe/stats.js'
import { recordUpstream } from '../../router/attempt-record.js'
import { reasonText } from '../../router/failure.js'
import type { UpstreamCluster } from '../../upstream/cluster.js'
import type { ClusterManager } from '../../upstream/cluster-manager.js'
import type { DnsCaches, Resolution } from '../../upstream/dns-cache.js'
import type { Endpoint } from '../../upstream/endpoint.js'
import { type OpeningTunnel, openHttpTunnel, TunnelError } from '../../upstream/http-tunnel.js'
import type { ConnectionFacts } from '../listener/facts.js'
import type { ConnectionObserver, WatchedConnection } from './observer.js'

export interface TcpProxyOptions {
  readonly config: TcpProxy
  readonly clusters: ClusterManager
  /** Of sni_dynamic_forward_proxy. */
  readonly dnsCaches: DnsCaches
  readonly stats: TcpStats
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
  readonly observers: readonly ConnectionObserver[]
  /** What clients and endpoints are told of this proxy, where they agree to it. */
  greetingOf(exchange: PeerExchange): Uint8Array
  /** Of the filter chain. */
  readonly exchange?: PeerExchange | undefined
}

/** envoy.filters.network.tcp_proxy: one upstream connection for each downstream connection. */
export function createTcpProxy(options: TcpProxyOptions): Terminal {
  const relays = new Set<Relay>()
  return {
    serve(connection, facts) {
      const relay = new Relay(options, connection, facts, relays)
      relays.add(relay)
      relay.start()
      return relay
    },
    refused(connection, facts, refusal) {
      const info = createInfo(options.clock, connection, facts.serverName)
      if (refusal?.flag !== undefined) info.flags.add(refusal.flag)
      info.details = refusal?.details ?? ''
      // Those who say so look at a connection when bytes have come, not when it is accepted.
      if (connection.terminationDetails !== undefined) info.bytesReceived = connection.bytesReceived
      info.cluster = options.config.target(options.random, facts.serverName).cluster
      info.end = options.clock.monotonic()
      for (const observe of options.observers) observe({ story: () => info, settled: true })()
      for (const log of options.config.accessLogs) log.log({ info, connection })
    },
    // Its upstream was chosen by the chain that it began with.
    adopt: () => false,
    get connections() {
      return relays.size
    },
    // Nothing in a byte stream says when it may end.
    drain() {},
    destroy() {
      for (const relay of relays) relay.destroy()
    },
  }
}

const NONE: readonly never[] = []
/** For an HTTP proxy to answer whom a tunnel is asked of; Envoy waits for as long as the client does. */
const TUNNEL_MS = 60_000

class Relay implements Served, WatchedConnection {
  readonly #options: TcpProxyOptions
  readonly #downstream: Connection
  readonly #serverName: string | undefined
  readonly #relays: Set<Relay>
  readonly #startTime: number
  readonly #start: number
  /** Made when somebody asks: most of a connection's life nobody does. */
  #info: StreamInfo | undefined
  #cluster: string | undefined
  #metadataMatch: TcpTarget['metadataMatch']
  /** Where a server name leads. */
  #hostPort: string | undefined
  #endpoint: Endpoint | undefined
  #attempts = 0
  #upstream: Connection | undefined
  /** Its tunnel, as long as nobody has answered. */
  #opening: OpeningTunnel | undefined
  #upstreamFailure: string | undefined
  #flags: readonly string[] = NONE
  #copying: Copying | undefined
  #timers: readonly Timer[] = NONE
  #bytesSeen = 0
  /** Sides that have agreed to say who they are, and have not yet. */
  #unheard = 0
  /** Told when it is over. */
  #observed: readonly (() => void)[] = NONE
  #over = false

  constructor(options: TcpProxyOptions, downstream: Connection, facts: ConnectionFacts, relays: Set<Relay>) {
    this.#options = options
    this.#downstream = downstream
    this.#relays = relays
    this.#serverName = facts.serverName
    const now = options.clock.monotonic()
    this.#start = downstream.times?.began ?? now
    this.#startTime = options.clock.now() - (now - this.#start)
  }

  start(): void {
    const { config, stats, observers } = this.#options
    const downstream = this.#downstream
    if (observers.length > 0) this.#observed = observers.map((observe) => observe(this))
    stats.downstreamCxTotal.inc()
    downstream.pause()
    if (config.logOptions?.onStart === true) this.#log('TcpConnectionStart')
    downstream.onClosed(() => {
      for (const timer of this.#timers) timer.stop()
      this.#opening?.cancel()
      if (this.#copying === undefined) this.#finish()
    })
    const found = this.#lookUp()
    if (typeof found === 'string') this.#choose(found)
    else void found.then((later) => this.#choose(later))
  }

  /** Of sni_dynamic_forward_proxy, the server that the client has named; who names none goes on without. */
  #lookUp(): Resolution | Promise<Resolution> {
    const { config, dnsCaches } = this.#options
    this.#hostPort = sniHostPort(config, this.#serverName)
    if (this.#hostPort === undefined || config.sniForward === undefined) return 'resolved'
    const { cache, port } = config.sniForward
    return dnsCaches.get(cache).resolve(this.#hostPort, port)
  }

  /** The cluster in force by now. */
  #choose(found: Resolution): void {
    if (this.#over) return
    // As in Envoy, it never comes as far as a cluster.
    if (found === 'overflow') {
      this.#downstream.destroy()
      return
    }
    const { config, clusters, random, stats } = this.#options
    const { cluster: name, metadataMatch } = config.target(random, this.#serverName)
    const cluster = clusters.get(name)
    if (cluster === undefined) {
      stats.downstreamCxNoRoute.inc()
      this.#refuse(UPSTREAM_FAILURE.noRoute, 'NC')
      return
    }
    this.#cluster = name
    this.#metadataMatch = metadataMatch
    this.#connect(cluster)
  }

  /** One attempt; the next begins when it fails. */
  #connect(cluster: UpstreamCluster): void {
    const { config, stats } = this.#options
    const downstream = this.#downstream
    const hash = config.hash?.(downstream)
    const endpoint = cluster.pick(
      { hash, hostPort: this.#hostPort, metadataMatch: this.#metadataMatch },
      downstream.originalDestination,
    )
    if (endpoint === undefined) {
      this.#refuse(UPSTREAM_FAILURE.noHealthyUpstream, 'UH')
      return
    }
    if (!cluster.resources.mayConnect()) {
      cluster.stats.upstreamCxOverflow.inc()
      this.#refuse(UPSTREAM_FAILURE.resourceLimitExceeded, 'UO')
      return
    }
    this.#endpoint = endpoint
    this.#attempts++
    this.#open(cluster, endpoint).then(
      (upstream) => {
        this.#opening = undefined
        cluster.outlierFor(endpoint)?.onConnected(endpoint)
        this.#join(upstream, cluster.compiled.exchange)
      },
      (error: Error & { code?: string }) => {
        if (error instanceof TunnelError && error.overflow) {
          this.#refuse(UPSTREAM_FAILURE.resourceLimitExceeded, 'UO')
          return
        }
        cluster.outlierFor(endpoint)?.onLocalFailure(endpoint, error.code === 'ETIMEDOUT' ? 'timeout' : 'connect')
        this.#upstreamFailure = failureOf(error)
        if (this.#over) return
        if (this.#attempts < config.maxConnectAttempts) {
          this.#connect(cluster)
          return
        }
        stats.upstreamCxConnectAttemptsExceeded.inc()
        this.#refuse(UPSTREAM_FAILURE.connectFailed, 'UF', 'URX')
      },
    )
  }

  #open(cluster: UpstreamCluster, endpoint: Endpoint): Promise<Connection> {
    const { tunnel } = this.#options.config
    if (tunnel === undefined) return cluster.connect(endpoint, this.#downstream)
    const request = tunnel({ info: this.story(), connection: this.#downstream })
    const pool = cluster.pool(endpoint, cluster.protocolFor('HTTP/1.1'), { downstream: this.#downstream })
    this.#opening = openHttpTunnel(pool, request, this.#options.timers, TUNNEL_MS)
    return this.#opening.opened
  }

  story(): StreamInfo {
    const info = (this.#info ??= createInfo(this.#options.clock, this.#downstream, this.#serverName))
    info.startTime = this.#startTime
    info.start = this.#start
    info.cluster = this.#cluster
    info.endpoint = this.#endpoint
    info.attempts = this.#attempts
    info.upstreamTransportFailureReason = this.#upstreamFailure
    if (this.#upstream !== undefined) recordUpstream(info, this.#upstream)
    info.bytesReceived = this.#copying?.forth ?? 0
    info.bytesSent = this.#copying?.back ?? 0
    for (const flag of this.#flags) info.flags.add(flag)
    return info
  }

  retire(refused: boolean): void {
    if (refused) this.#downstream.destroy(new Error('the listener no longer lets it in'))
  }

  destroy(): void {
    this.#downstream.destroy(new Error('the listener is closing'))
  }

  #refuse(failure: number, ...flags: readonly string[]): void {
    this.#flags = flags
    closeFor(this.#downstream, initializationFailure(failure))
  }

  #join(upstream: Connection, exchange: PeerExchange | undefined): void {
    if (this.#over) {
      upstream.destroy()
      return
    }
    this.#upstream = upstream
    const over = (_: Error | undefined, culprit: Connection | undefined): void => {
      if (culprit === upstream) this.#flag('UR')
      this.#finish()
    }
    this.#copying = joinConnections(this.#downstream, upstream, over, {
      first: this.#greet(this.#downstream, this.#options.exchange, DOWNSTREAM_PEER),
      second: this.#greet(upstream, exchange, UPSTREAM_PEER),
    })
    if (this.#options.config.logOptions?.onConnected === true) this.#log('TcpUpstreamConnected')
    this.#watchTime()
  }

  /** Says who this proxy is, to a peer that has agreed to say the same; what is returned hears it. */
  #greet(peer: Connection, exchange: PeerExchange | undefined, key: string): GreetingReader | undefined {
    if (exchange === undefined || peer.tls?.alpn !== PEER_EXCHANGE) return undefined
    this.#unheard++
    peer.write(this.#options.greetingOf(exchange))
    return new GreetingReader((workload) => {
      this.#unheard--
      if (workload !== undefined) this.story().filterState.set(key, workload)
    })
  }

  get settled(): boolean {
    return this.#upstream !== undefined && this.#unheard === 0
  }

  /** `type`: of a line before the end, which says how far things have come. */
  #log(type?: AccessLogType): void {
    const { clock, config } = this.#options
    const info = this.story()
    info.end = clock.monotonic()
    for (const log of config.accessLogs) log.log({ info, connection: this.#downstream, ...(type && { type }) })
  }

  #flag(flag: string): void {
    this.#flags = [...this.#flags, flag]
  }

  #watchTime(): void {
    const { config } = this.#options
    this.#every(config.idleTimeoutMs, this.#hasMoved)
    this.#every(config.maxConnectionDurationMs, this.#isYoung)
    this.#every(config.logOptions?.flushIntervalMs ?? 0, this.#logPeriodically)
  }

  /** As long as `goesOn`; 0: never. A timer that is not there costs idle connections nothing. */
  #every(ms: number, goesOn: (this: Relay) => boolean): void {
    if (ms <= 0) return
    const timer = this.#options.timers.timer(() => {
      if (goesOn.call(this)) timer.start(ms)
    })
    timer.start(ms)
    this.#timers = [...this.#timers, timer]
  }

  #hasMoved(): boolean {
    const moved = this.#bytes()
    if (moved !== this.#bytesSeen) {
      this.#bytesSeen = moved
      return true
    }
    this.#options.stats.idleTimeout.inc()
    this.#close(CLOSE_REASON.sessionIdle)
    return false
  }

  #isYoung(): boolean {
    this.#options.stats.maxConnectionDuration.inc()
    this.#flag('DT')
    this.#close(CLOSE_REASON.maxDuration)
    return false
  }

  #close(reason: string): void {
    if (this.#upstream !== undefined) this.#upstream.localCloseReason = reason
    closeFor(this.#downstream, reason, new Error(reason))
  }

  #logPeriodically(): boolean {
    this.#log('TcpPeriodic')
    return true
  }

  #bytes(): number {
    return this.#copying === undefined ? 0 : this.#copying.forth + this.#copying.back
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    const { config, stats } = this.#options
    stats.downstreamCxRxBytesTotal.inc(this.#copying?.forth ?? 0)
    stats.downstreamCxTxBytesTotal.inc(this.#copying?.back ?? 0)
    for (const tell of this.#observed) tell()
    if (config.accessLogs.length > 0) this.#log()
    this.#relays.delete(this)
  }
}

/** For UPSTREAM_TRANSPORT_FAILURE_REASON; a timeout has none. */
function failureOf(error: Error & { code?: string }): string | undefined {
  if (error instanceof TunnelError) return error.answer
  return error.code === 'ETIMEDOUT' ? undefined : reasonText(error)
}

function createInfo(clock: Clock, connection: Connection, sni: string | undefined): StreamInfo {
  return createConnectionInfo(connection, { ...streamOrigin(connection), sni }, clock)
}
