import type { Clock } from '@heddle/runtime'
import type { CompiledCluster } from '../config/compiled.js'
import type { UpstreamProxyProtocol } from '../config/proxy-protocol.js'
import type { Connection, ConnectionTimes, SocketAddress } from '../net/connection.js'
import type { Network } from '../net/network.js'
import type { ClientTlsContext, Tls } from '../net/tls.js'
import type { ClusterStats } from '../observe/stats.js'
import type { ClusterResources } from './circuit-breaker.js'
import type { Host } from './host.js'
import { proxyHeaderFor } from './proxy-header.js'

export interface UpstreamConnectOptions {
  readonly cluster: CompiledCluster
  readonly host: Host
  readonly tlsContext: ClientTlsContext | undefined
  /** What the endpoint is sent first, and for whom. */
  readonly proxyProtocol?: UpstreamProxyProtocol | undefined
  readonly downstream?: Connection | undefined
  readonly resources: ClusterResources
  readonly stats: ClusterStats
  readonly network: Network
  readonly tls: Tls
  readonly clock: Clock
}

/**
 * A connection to an endpoint, encrypted where its cluster says so, counted until it closes. connect_timeout covers the
 * TLS handshake as well; it rejects with code ETIMEDOUT.
 */
export async function connectUpstream(options: UpstreamConnectOptions): Promise<Connection> {
  const { resources, stats, host, clock } = options
  resources.connections++
  host.activeConnections++
  host.totalConnections++
  stats.upstreamCxTotal.inc()
  stats.upstreamCxActive.add(1)
  const gone = farewell(resources, host, stats)
  const began = clock.monotonic()
  try {
    const connection = await openConnection(options, host.endpoint.address)
    stats.upstreamCxConnectMs.observe(clock.monotonic() - began)
    connection.onClosed(gone)
    return connection
  } catch (error) {
    host.connectFailures++
    stats.upstreamCxConnectFail.inc()
    if ((error as { code?: string }).code === 'ETIMEDOUT') stats.upstreamCxConnectTimeout.inc()
    gone()
    throw error
  }
}

/** Made out here, since it lives as long as the connection: it holds nothing of how that came about. */
function farewell(resources: ClusterResources, host: Host, stats: ClusterStats): () => void {
  return () => {
    resources.connections--
    host.activeConnections--
    stats.upstreamCxActive.add(-1)
    stats.upstreamCxDestroy.inc()
  }
}

/** What a connection needs that nobody counts. */
export type OpenOptions = Omit<UpstreamConnectOptions, 'host' | 'resources'>

/** A connection, encrypted where there is a context, that stands in no statistics and no limits. */
export async function openConnection(options: OpenOptions, address: SocketAddress): Promise<Connection> {
  const { cluster, network, tls, tlsContext, stats, clock } = options
  const timeoutMs = cluster.connectTimeoutMs
  const began = clock.monotonic()
  const transparentSource = options.downstream?.transparentSource
  const sourceAddress = sourceFor(cluster, address)
  const connection = await network.connect({ address, timeoutMs, sourceAddress, transparentSource })
  const times: ConnectionTimes = { began, connected: clock.monotonic() }
  connection.times = times
  if (options.proxyProtocol !== undefined) introduce(connection, options.proxyProtocol, options.downstream)
  if (tlsContext === undefined) return connection
  let late = false
  const stop = clock.after(Math.max(1, timeoutMs - (clock.monotonic() - began)), () => {
    late = true
    connection.destroy()
  })
  try {
    const secured = await tls.connect(connection, tlsContext)
    times.secured = clock.monotonic()
    stats.ssl.established(secured)
    return secured
  } catch (error) {
    stats.ssl.failed(error)
    throw late ? Object.assign(new Error(`the TLS handshake took longer than ${timeoutMs} ms`), { code: 'ETIMEDOUT' }) : error
  } finally {
    stop()
  }
}

function introduce(connection: Connection, config: UpstreamProxyProtocol, downstream: Connection | undefined): void {
  try {
    connection.write(proxyHeaderFor(config, connection, downstream))
  } catch (error) {
    connection.destroy()
    throw error
  }
}

function sourceFor({ sourceAddresses }: CompiledCluster, { address }: SocketAddress): string | undefined {
  const v6 = address.includes(':')
  return sourceAddresses.find((each) => each.includes(':') === v6) ?? sourceAddresses[0]
}
