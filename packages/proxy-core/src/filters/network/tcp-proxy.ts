import type { Clock, Random } from '@heddle/runtime'
import type { TcpProxy } from '../../config/compiled.js'
import { createConnectionInfo, streamOrigin } from '../../http/new-stream-info.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { formatAddress } from '../../net/address.js'
import type { Connection } from '../../net/connection.js'
import { type Copying, joinConnections } from '../../net/copy.js'
import type { Served, Terminal } from '../../net/terminal.js'
import type { Timers } from '../../net/timers.js'
import type { AccessLogType } from '../../observe/access-log.js'
import type { TcpStats } from '../../observe/stats.js'
import type { UpstreamCluster } from '../../upstream/cluster.js'
import type { ClusterManager } from '../../upstream/cluster-manager.js'
import type { ConnectionFacts } from '../listener/facts.js'

export interface TcpProxyOptions {
  readonly config: TcpProxy
  readonly clusters: ClusterManager
  readonly stats: TcpStats
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
}

/** envoy.filters.network.tcp_proxy: one upstream connection for each downstream connection. */
export function createTcpProxy(options: TcpProxyOptions): Terminal {
  const relays = new Set<Relay>()
  return {
    serve(connection, facts) {
      const relay = new Relay(options, connection, facts, () => relays.delete(relay))
      relays.add(relay)
      relay.start()
      return relay
    },
    refused(connection, facts, refusal) {
      const info = createInfo(options.clock, connection, facts)
      if (refusal !== undefined) {
        info.flags.add(refusal.flag)
        info.details = refusal.details
      }
      info.cluster = options.config.target(options.random)
      info.end = options.clock.monotonic()
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

class Relay implements Served {
  readonly #options: TcpProxyOptions
  readonly #downstream: Connection
  readonly #info: StreamInfo
  readonly #gone: () => void
  #copying: Copying | undefined
  #over = false

  constructor(options: TcpProxyOptions, downstream: Connection, facts: ConnectionFacts, gone: () => void) {
    this.#options = options
    this.#downstream = downstream
    this.#gone = gone
    this.#info = createInfo(options.clock, downstream, facts)
  }

  start(): void {
    const { config, clusters, random, stats } = this.#options
    const downstream = this.#downstream
    stats.downstreamCxTotal.inc()
    downstream.pause()
    if (config.logOptions?.onStart === true) this.#log('TcpConnectionStart')
    downstream.onClosed(() => {
      if (this.#copying === undefined) this.#finish()
    })
    const name = (config.clusterOfServerName === true ? this.#info.sni : undefined) ?? config.target(random)
    const cluster = clusters.get(name)
    if (cluster === undefined) {
      stats.downstreamCxNoRoute.inc()
      this.#refuse('NC')
      return
    }
    this.#info.cluster = name
    this.#connect(cluster)
  }

  /** One attempt; the next begins when it fails. */
  #connect(cluster: UpstreamCluster): void {
    const { config, stats } = this.#options
    const info = this.#info
    const downstream = this.#downstream
    const hash = config.hash?.(downstream)
    const endpoint = cluster.pick(hash === undefined ? {} : { hash }, downstream.originalDestination)
    if (endpoint === undefined) {
      this.#refuse('UH')
      return
    }
    if (!cluster.resources.mayConnect()) {
      cluster.stats.upstreamCxOverflow.inc()
      this.#refuse('UO')
      return
    }
    info.endpoint = endpoint
    info.attempts++
    cluster.connect(endpoint, downstream).then(
      (upstream) => {
        cluster.outlierFor(endpoint)?.onConnected(endpoint)
        this.#join(upstream)
      },
      (error: Error & { code?: string }) => {
        cluster.outlierFor(endpoint)?.onLocalFailure(endpoint, error.code === 'ETIMEDOUT' ? 'timeout' : 'connect')
        info.upstreamTransportFailureReason = error.message
        if (this.#over) return
        if (info.attempts < config.maxConnectAttempts) {
          this.#connect(cluster)
          return
        }
        stats.upstreamCxConnectAttemptsExceeded.inc()
        this.#refuse('UF', 'URX')
      },
    )
  }

  get info(): StreamInfo {
    return this.#info
  }

  retire(refused: boolean): void {
    if (refused) this.#downstream.destroy(new Error('the listener no longer lets it in'))
  }

  destroy(): void {
    this.#downstream.destroy(new Error('the listener is closing'))
  }

  #refuse(...flags: readonly string[]): void {
    for (const flag of flags) this.#info.flags.add(flag)
    this.#downstream.destroy()
  }

  #join(upstream: Connection): void {
    if (this.#over) {
      upstream.destroy()
      return
    }
    this.#info.upstreamLocal = formatAddress(upstream.local)
    this.#info.upstreamConnection = upstream
    this.#copying = joinConnections(this.#downstream, upstream, (_, culprit) => {
      if (culprit === upstream) this.#info.flags.add('UR')
      this.#finish()
    })
    if (this.#options.config.logOptions?.onConnected === true) this.#log('TcpUpstreamConnected')
    this.#watchTime()
  }

  /** A line before the end says how far things have come. */
  #log(type: AccessLogType): void {
    const { clock, config } = this.#options
    const info = this.#info
    info.end = clock.monotonic()
    this.#countBytes()
    for (const log of config.accessLogs) log.log({ info, connection: this.#downstream, type })
    info.end = undefined
  }

  #countBytes(): void {
    this.#info.bytesReceived = this.#copying?.forth ?? 0
    this.#info.bytesSent = this.#copying?.back ?? 0
  }

  #watchTime(): void {
    const { config, stats } = this.#options
    let seen = 0
    this.#every(config.idleTimeoutMs, () => {
      const moved = this.#bytes()
      if (moved !== seen) {
        seen = moved
        return true
      }
      stats.idleTimeout.inc()
      this.#downstream.destroy(new Error('idle_timeout'))
      return false
    })
    this.#every(config.maxConnectionDurationMs, () => {
      stats.maxConnectionDuration.inc()
      this.#info.flags.add('DT')
      this.#downstream.destroy(new Error('max_downstream_connection_duration'))
      return false
    })
    this.#every(config.logOptions?.flushIntervalMs ?? 0, () => {
      this.#log('TcpPeriodic')
      return true
    })
  }

  /** As long as `run` wants it again; 0: never. A timer that is not there costs idle connections nothing. */
  #every(ms: number, run: () => boolean): void {
    if (ms <= 0) return
    const timer = this.#options.timers.timer(() => {
      if (run()) timer.start(ms)
    })
    timer.start(ms)
    this.#downstream.onClosed(() => timer.stop())
  }

  #bytes(): number {
    return this.#copying === undefined ? 0 : this.#copying.forth + this.#copying.back
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    const { clock, config, stats } = this.#options
    const info = this.#info
    info.end = clock.monotonic()
    this.#countBytes()
    stats.downstreamCxRxBytesTotal.inc(info.bytesReceived)
    stats.downstreamCxTxBytesTotal.inc(info.bytesSent)
    for (const log of config.accessLogs) log.log({ info, connection: this.#downstream })
    this.#gone()
  }
}

function createInfo(clock: Clock, connection: Connection, facts: ConnectionFacts): StreamInfo {
  return createConnectionInfo(connection, { ...streamOrigin(connection), sni: facts.serverName }, clock)
}
