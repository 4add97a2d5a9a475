import type { ConnectionPoolSettings, RetryBudget, TcpKeepalive } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Build } from '../build.js'
import { defined, duration } from '../message.js'
import type { ClusterDraft, HttpOptions } from './draft.js'

/** Istio turns Envoy's limits off: 2^32-1 each. */
const NO_LIMIT: number = 2 ** 32 - 1

type Breakers = NonNullable<Cluster['circuit_breakers']>

const WITHOUT = { max_connections: NO_LIMIT, max_pending_requests: NO_LIMIT, max_requests: NO_LIMIT, max_retries: NO_LIMIT }
const NO_LIMITS: Breakers = writtenOnce({ thresholds: [WITHOUT] })
const TRACKED_NO_LIMITS: Breakers = writtenOnce({ thresholds: [{ ...WITHOUT, track_remaining: true }] })

/** Of a cluster without limits. */
export function noLimits({ features }: Build): Breakers {
  return features.trackRemaining ? TRACKED_NO_LIMITS : NO_LIMITS
}

/** DestinationRule connectionPool -> circuit breakers, timeouts, keepalive. A limit of 0 is the same as none. */
export function applyConnectionPool(
  draft: ClusterDraft,
  pool: ConnectionPoolSettings | undefined,
  build: Build,
  retryBudget?: RetryBudget,
): void {
  const { cluster, http: options } = draft
  const { mesh, features } = build
  if (pool === undefined && retryBudget === undefined) {
    cluster.circuit_breakers = noLimits(build)
    applyKeepalive(draft, mesh.tcpKeepalive)
    return
  }
  const tcp = pool?.tcp
  const http = pool?.http
  if (tcp?.connectTimeout !== undefined) cluster.connect_timeout = duration(tcp.connectTimeout)
  const threshold = {
    max_connections: limit(tcp?.maxConnections),
    max_pending_requests: limit(http?.http1MaxPendingRequests),
    max_requests: limit(http?.http2MaxRequests),
    max_retries: limit(http?.maxRetries),
    ...(features.trackRemaining ? { track_remaining: true } : {}),
  }
  cluster.circuit_breakers = {
    thresholds: [retryBudget === undefined ? threshold : { ...threshold, retry_budget: budget(retryBudget) }],
  }
  applyKeepalive(draft, joinKeepalive(mesh.tcpKeepalive, tcp?.tcpKeepalive))
  const idle = http?.idleTimeout ?? tcp?.idleTimeout
  const common: NonNullable<HttpOptions['common']> = defined({
    idle_timeout: idle === undefined ? undefined : duration(idle),
    max_requests_per_connection: positive(http?.maxRequestsPerConnection),
    max_connection_duration: tcp?.maxConnectionDuration === undefined ? undefined : duration(tcp.maxConnectionDuration),
  })
  const streams = positive(http?.maxConcurrentStreams)
  if (Object.keys(common).length > 0 || streams !== undefined || http?.http2KeepAlive !== undefined) options.common = common
  if (streams !== undefined) options.maxConcurrentStreams = streams
  const ping = http?.http2KeepAlive
  if (ping !== undefined) {
    options.keepAlive = defined({
      interval: ping.interval === undefined ? undefined : duration(ping.interval),
      timeout: ping.timeout === undefined ? undefined : duration(ping.timeout),
    }) as { interval?: string; timeout?: string }
  }
  if (http?.useClientProtocol === true) options.protocol = 'downstream'
}

/** The destination's own settings, and the mesh's in their gaps. */
function joinKeepalive(mesh: TcpKeepalive | undefined, own: TcpKeepalive | undefined): TcpKeepalive | undefined {
  if (mesh === undefined || own === undefined) return own ?? mesh
  return { ...mesh, ...own, ...(own.probes ? {} : { probes: mesh.probes ?? 0 }) }
}

function applyKeepalive(draft: ClusterDraft, keepalive: TcpKeepalive | undefined): void {
  if (keepalive === undefined) return
  const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.floor(ms / 1000))
  draft.cluster.upstream_connection_options = {
    tcp_keepalive: defined({
      keepalive_probes: positive(keepalive.probes),
      keepalive_time: seconds(keepalive.time),
      keepalive_interval: seconds(keepalive.interval),
    }),
  }
}

/** Defaults: 20 percent of the active requests, at least 3. */
function budget(given: RetryBudget): object {
  return defined({
    budget_percent: { value: given.percent ?? 20 },
    min_retry_concurrency: positive(given.minRetryConcurrency) ?? 3,
    budget_interval: given.budgetInterval === undefined ? undefined : duration(given.budgetInterval),
  })
}

function limit(value: number | undefined): number {
  return positive(value) ?? NO_LIMIT
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}
