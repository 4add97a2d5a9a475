import type { Counter, Gauge, Histogram, MetricsRegistry } from '@heddle/runtime'
import type { CodecStats } from '../http/codec.js'
import type { RedirectRefusal } from '../route/internal-redirect.js'
import { createHealthCheckStats, type HealthCheckStats } from '../upstream/health-check/stats.js'
import { OUTLIER_KINDS, type OutlierKind } from '../upstream/outlier.js'
import { createCodecStats } from './codec-stats.js'
import { CLASS_LABEL, CLUSTER_LABEL, CODE_LABEL, HTTP_LABEL, LISTENER_LABEL, TCP_LABEL } from './labels.js'
import { createSslStats, type SslStats } from './ssl-stats.js'

/**
 * Envoy's statistics on one registry. A Prometheus family is Envoy's name without its variable part
 * (`http.ingress.downstream_rq_total` is `envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="ingress"}`);
 * `dottedName` goes back to the dotted name for `/stats`.
 */

/** Envoy's histogram buckets in milliseconds (Prometheus output of `/stats/prometheus`). */
export const ENVOY_BUCKETS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
]

/** `http.<prefix>.*` of one HTTP connection manager. */
export interface HttpStats {
  readonly downstreamCxTotal: Counter
  readonly downstreamCxActive: Gauge
  readonly downstreamCxHttp1Total: Counter
  readonly downstreamCxHttp2Total: Counter
  readonly downstreamCxHttp1Active: Gauge
  readonly downstreamCxHttp2Active: Gauge
  readonly downstreamRqHttp1Total: Counter
  readonly downstreamRqHttp2Total: Counter
  readonly downstreamCxDestroy: Counter
  readonly downstreamCxProtocolError: Counter
  readonly downstreamRqTotal: Counter
  readonly downstreamRqActive: Gauge
  readonly downstreamRqTime: Histogram
  readonly downstreamRqTimeout: Counter
  readonly downstreamRqIdleTimeout: Counter
  readonly downstreamRqMaxDurationReached: Counter
  readonly downstreamRqRxReset: Counter
  readonly downstreamRqTxReset: Counter
  readonly downstreamRqTooLarge: Counter
  /** `http1.*`, of the whole server. */
  readonly droppedHeadersWithUnderscores: Counter
  readonly requestsRejectedWithUnderscores: Counter
  readonly noRoute: Counter
  readonly noCluster: Counter
  /** `passthrough_internal_redirect_<why>`: an answer that the proxy was to follow itself, and could not. */
  redirectPassed(why: RedirectRefusal): void
  readonly rqTotal: Counter
  /** `http2.*`, of the whole server. */
  readonly codec: CodecStats
  /** Counts a finished response under `downstream_rq_<n>xx` and `downstream_rq_completed`. */
  completed(status: number): void
}

/** `cluster.<name>.*` of one cluster. */
export interface ClusterStats {
  readonly upstreamCxTotal: Counter
  readonly upstreamCxHttp1Total: Counter
  readonly upstreamCxHttp2Total: Counter
  readonly upstreamCxActive: Gauge
  readonly upstreamCxConnectFail: Counter
  readonly upstreamCxConnectTimeout: Counter
  readonly upstreamCxOverflow: Counter
  readonly upstreamCxMaxRequests: Counter
  readonly upstreamCxDestroy: Counter
  readonly upstreamCxConnectMs: Histogram
  readonly upstreamRqTotal: Counter
  readonly upstreamRqActive: Gauge
  readonly upstreamRqPendingTotal: Counter
  readonly upstreamRqPendingActive: Gauge
  readonly upstreamRqPendingOverflow: Counter
  readonly upstreamRqTime: Histogram
  readonly upstreamRqTimeout: Counter
  readonly upstreamRqPerTryTimeout: Counter
  readonly upstreamRqPerTryIdleTimeout: Counter
  readonly upstreamRqMaxDurationReached: Counter
  readonly upstreamRqPendingFailureEject: Counter
  readonly upstreamRqRxReset: Counter
  readonly upstreamRqTxReset: Counter
  readonly upstreamRqRetry: Counter
  readonly upstreamRqRetrySuccess: Counter
  readonly upstreamRqRetryLimitExceeded: Counter
  readonly upstreamRqRetryOverflow: Counter
  readonly lbHealthyPanic: Counter
  readonly membershipChange: Counter
  readonly membershipTotal: Gauge
  readonly membershipHealthy: Gauge
  readonly membershipDegraded: Gauge
  readonly membershipExcluded: Gauge
  /** `health_check.*`; made when first asked for. */
  readonly healthCheck: HealthCheckStats
  readonly outlierEjectionsActive: Gauge
  /** `outlier_detection.ejections_overflow`: max_ejection_percent kept them in. */
  readonly outlierOverflow: Counter
  /** `outlier_detection.ejections_detected_<kind>`. */
  outlierDetected(kind: OutlierKind): void
  /** `outlier_detection.ejections_enforced_<kind>` and `ejections_enforced_total`. */
  outlierEnforced(kind: OutlierKind): void
  readonly ssl: SslStats
  /** `http2.*` of the cluster; made when first asked for. */
  readonly codec: CodecStats
  /** Counts a finished response under `upstream_rq_<n>xx`, `upstream_rq_<code>` and `upstream_rq_completed`, and by where the request came from. */
  completed(status: number, origin?: 'external' | 'internal'): void
  /** `upstream_rq_retry_backoff_<kind>`. */
  retryBackOff(kind: 'exponential' | 'ratelimited'): void
  /** `upstream_internal_redirect_succeeded_total` or `upstream_internal_redirect_failed_total`. */
  internalRedirect(followed: boolean): void
  /** `retry.upstream_rq_<code>` and its kin: an answer that another attempt shall better. */
  retried(status: number): void
}

/** `listener.<address>.*` of one listener. */
export interface ListenerStats {
  readonly downstreamCxTotal: Counter
  readonly downstreamCxActive: Gauge
  readonly downstreamCxDestroy: Counter
  readonly noFilterChainMatch: Counter
  readonly ssl: SslStats
  readonly downstreamPreCxTimeout: Counter
}

/** `tcp.<prefix>.*` of one TCP proxy. */
export interface TcpStats {
  readonly downstreamCxTotal: Counter
  readonly downstreamCxRxBytesTotal: Counter
  readonly downstreamCxTxBytesTotal: Counter
  readonly downstreamCxNoRoute: Counter
  readonly upstreamCxConnectAttemptsExceeded: Counter
  readonly idleTimeout: Counter
  readonly maxConnectionDuration: Counter
}

interface Scope {
  counter(name: string): Counter
  gauge(name: string): Gauge
  histogram(name: string): Histogram
  /** Counts by response class and, where Envoy does, by response code; then a class is there only once it came, as in Envoy. */
  byStatus(name: string, withCode: boolean): (status: number) => void
}

function scopeOf(registry: MetricsRegistry, prefix: string, label: string, value: string): Scope {
  const help = `Envoy's ${prefix} statistics.`
  const full = (name: string): string => `envoy_${prefix}_${name}`
  return {
    counter: (name) => registry.counter(full(name), help, [label]).labels(value),
    gauge: (name) => registry.gauge(full(name), help, [label]).labels(value),
    histogram: (name) => registry.histogram(full(name), help, [label], ENVOY_BUCKETS).labels(value),
    byStatus(name, withCode) {
      const classes = registry.counter(full(`${name}_xx`), help, [CLASS_LABEL, label])
      const codes = withCode ? registry.counter(full(name), help, [CODE_LABEL, label]) : undefined
      // Scrapers want a class that never came as 0, not as absent.
      if (!withCode) for (const statusClass of ['1', '2', '3', '4', '5']) classes.labels(statusClass, value)
      const cache = new Map<number, { byClass: Counter; byCode: Counter | undefined }>()
      return (status) => {
        let counters = cache.get(status)
        if (counters === undefined) {
          counters = {
            byClass: classes.labels(String(Math.floor(status / 100)), value),
            byCode: codes?.labels(String(status), value),
          }
          cache.set(status, counters)
        }
        counters.byClass.inc()
        counters.byCode?.inc()
      }
    },
  }
}

/** `listener`: its stat name, to count responses under `listener.<name>.http.<prefix>.*` too. */
export function createHttpStats(registry: MetricsRegistry, statPrefix: string, listener?: string): HttpStats {
  const scope = scopeOf(registry, 'http', HTTP_LABEL, statPrefix)
  const byStatus = scope.byStatus('downstream_rq', false)
  const completed = scope.counter('downstream_rq_completed')
  const ofListener = listener === undefined ? undefined : listenerResponses(registry, statPrefix, listener)
  return {
    downstreamCxTotal: scope.counter('downstream_cx_total'),
    downstreamCxActive: scope.gauge('downstream_cx_active'),
    downstreamCxHttp1Total: scope.counter('downstream_cx_http1_total'),
    downstreamCxHttp2Total: scope.counter('downstream_cx_http2_total'),
    downstreamCxHttp1Active: scope.gauge('downstream_cx_http1_active'),
    downstreamCxHttp2Active: scope.gauge('downstream_cx_http2_active'),
    downstreamRqHttp1Total: scope.counter('downstream_rq_http1_total'),
    downstreamRqHttp2Total: scope.counter('downstream_rq_http2_total'),
    downstreamCxDestroy: scope.counter('downstream_cx_destroy'),
    downstreamCxProtocolError: scope.counter('downstream_cx_protocol_error'),
    downstreamRqTotal: scope.counter('downstream_rq_total'),
    downstreamRqActive: scope.gauge('downstream_rq_active'),
    downstreamRqTime: scope.histogram('downstream_rq_time'),
    downstreamRqTimeout: scope.counter('downstream_rq_timeout'),
    downstreamRqIdleTimeout: scope.counter('downstream_rq_idle_timeout'),
    downstreamRqMaxDurationReached: scope.counter('downstream_rq_max_duration_reached'),
    downstreamRqRxReset: scope.counter('downstream_rq_rx_reset'),
    downstreamRqTxReset: scope.counter('downstream_rq_tx_reset'),
    downstreamRqTooLarge: scope.counter('downstream_rq_too_large'),
    droppedHeadersWithUnderscores: codecCounter(registry, 'dropped_headers_with_underscores'),
    requestsRejectedWithUnderscores: codecCounter(registry, 'requests_rejected_with_underscores_in_headers'),
    noRoute: scope.counter('no_route'),
    noCluster: scope.counter('no_cluster'),
    redirectPassed: (why) => scope.counter(`passthrough_internal_redirect_${why}`).inc(),
    rqTotal: scope.counter('rq_total'),
    codec: createCodecStats(registry),
    completed(status) {
      completed.inc()
      byStatus(status)
      ofListener?.(status)
    },
  }
}

function listenerResponses(registry: MetricsRegistry, statPrefix: string, listener: string): (status: number) => void {
  const [help, labels] = ["Envoy's listener statistics.", [HTTP_LABEL, LISTENER_LABEL]]
  const classes = registry.counter('envoy_listener_http_downstream_rq_xx', help, [CLASS_LABEL, ...labels])
  const byClass = ['1', '2', '3', '4', '5'].map((statusClass) => classes.labels(statusClass, statPrefix, listener))
  const completed = registry.counter('envoy_listener_http_downstream_rq_completed', help, labels).labels(statPrefix, listener)
  return (status) => {
    completed.inc()
    byClass[Math.floor(status / 100) - 1]?.inc()
  }
}

function codecCounter(registry: MetricsRegistry, name: string): Counter {
  return registry.counter(`envoy_http1_${name}`, "Envoy's HTTP/1 codec statistics.").labels()
}

export function createClusterStats(registry: MetricsRegistry, clusterName: string): ClusterStats {
  const scope = scopeOf(registry, 'cluster', CLUSTER_LABEL, clusterName)
  const byStatus = scope.byStatus('upstream_rq', true)
  const completed = scope.counter('upstream_rq_completed')
  // Made when first asked for: most proxies see the one or the other.
  let retried: ((status: number) => void) | undefined
  let external: ((status: number) => void) | undefined
  let internal: ((status: number) => void) | undefined
  let codec: CodecStats | undefined
  let healthCheck: HealthCheckStats | undefined
  return {
    get healthCheck() {
      healthCheck ??= createHealthCheckStats(scope)
      return healthCheck
    },
    get codec() {
      codec ??= createCodecStats(registry, clusterName)
      return codec
    },
    upstreamCxTotal: scope.counter('upstream_cx_total'),
    upstreamCxHttp1Total: scope.counter('upstream_cx_http1_total'),
    upstreamCxHttp2Total: scope.counter('upstream_cx_http2_total'),
    upstreamCxActive: scope.gauge('upstream_cx_active'),
    upstreamCxConnectFail: scope.counter('upstream_cx_connect_fail'),
    upstreamCxConnectTimeout: scope.counter('upstream_cx_connect_timeout'),
    upstreamCxOverflow: scope.counter('upstream_cx_overflow'),
    upstreamCxMaxRequests: scope.counter('upstream_cx_max_requests'),
    upstreamCxDestroy: scope.counter('upstream_cx_destroy'),
    upstreamCxConnectMs: scope.histogram('upstream_cx_connect_ms'),
    upstreamRqTotal: scope.counter('upstream_rq_total'),
    upstreamRqActive: scope.gauge('upstream_rq_active'),
    upstreamRqPendingTotal: scope.counter('upstream_rq_pending_total'),
    upstreamRqPendingActive: scope.gauge('upstream_rq_pending_active'),
    upstreamRqPendingOverflow: scope.counter('upstream_rq_pending_overflow'),
    upstreamRqTime: scope.histogram('upstream_rq_time'),
    upstreamRqTimeout: scope.counter('upstream_rq_timeout'),
    upstreamRqPerTryTimeout: scope.counter('upstream_rq_per_try_timeout'),
    upstreamRqMaxDurationReached: scope.counter('upstream_rq_max_duration_reached'),
    upstreamRqPerTryIdleTimeout: scope.counter('upstream_rq_per_try_idle_timeout'),
    upstreamRqPendingFailureEject: scope.counter('upstream_rq_pending_failure_eject'),
    upstreamRqRxReset: scope.counter('upstream_rq_rx_reset'),
    upstreamRqTxReset: scope.counter('upstream_rq_tx_reset'),
    upstreamRqRetry: scope.counter('upstream_rq_retry'),
    upstreamRqRetrySuccess: scope.counter('upstream_rq_retry_success'),
    upstreamRqRetryLimitExceeded: scope.counter('upstream_rq_retry_limit_exceeded'),
    upstreamRqRetryOverflow: scope.counter('upstream_rq_retry_overflow'),
    lbHealthyPanic: scope.counter('lb_healthy_panic'),
    membershipChange: scope.counter('membership_change'),
    membershipTotal: scope.gauge('membership_total'),
    membershipHealthy: scope.gauge('membership_healthy'),
    membershipDegraded: scope.gauge('membership_degraded'),
    membershipExcluded: scope.gauge('membership_excluded'),
    outlierEjectionsActive: scope.gauge('outlier_detection_ejections_active'),
    outlierOverflow: scope.counter('outlier_detection_ejections_overflow'),
    ...outlierCounters(scope),
    ssl: createSslStats(scope.counter),
    retryBackOff: (kind) => scope.counter(`upstream_rq_retry_backoff_${kind}`).inc(),
    internalRedirect(followed) {
      scope.counter(`upstream_internal_redirect_${followed ? 'succeeded' : 'failed'}_total`).inc()
    },
    retried(status) {
      retried ??= countOrigin(scope, 'retry')
      retried(status)
    },
    completed(status, origin) {
      completed.inc()
      byStatus(status)
      if (origin === 'external') (external ??= countOrigin(scope, origin))(status)
      else if (origin === 'internal') (internal ??= countOrigin(scope, origin))(status)
    },
  }
}

/** `external.upstream_rq_200` and its kin: requests from outside the mesh, those from inside, answers that were tried again. */
function countOrigin(scope: Scope, origin: 'external' | 'internal' | 'retry'): (status: number) => void {
  const byStatus = scope.byStatus(`${origin}_upstream_rq`, true)
  const completed = scope.counter(`${origin}_upstream_rq_completed`)
  return (status) => {
    completed.inc()
    byStatus(status)
  }
}

function outlierCounters(scope: Scope): Pick<ClusterStats, 'outlierDetected' | 'outlierEnforced'> {
  const counters = (stage: 'detected' | 'enforced'): ReadonlyMap<OutlierKind, Counter> =>
    new Map(OUTLIER_KINDS.map((kind) => [kind, scope.counter(`outlier_detection_ejections_${stage}_${kind}`)]))
  const detected = counters('detected')
  const enforced = counters('enforced')
  const total = scope.counter('outlier_detection_ejections_enforced_total')
  return {
    outlierDetected: (kind) => detected.get(kind)?.inc(),
    outlierEnforced(kind) {
      enforced.get(kind)?.inc()
      total.inc()
    },
  }
}

/** `address`: as Envoy writes it in names, `127.0.0.1_8080`. */
export function createListenerStats(registry: MetricsRegistry, address: string): ListenerStats {
  const scope = scopeOf(registry, 'listener', LISTENER_LABEL, address)
  return {
    downstreamCxTotal: scope.counter('downstream_cx_total'),
    downstreamCxActive: scope.gauge('downstream_cx_active'),
    downstreamCxDestroy: scope.counter('downstream_cx_destroy'),
    noFilterChainMatch: scope.counter('no_filter_chain_match'),
    ssl: createSslStats(scope.counter),
    downstreamPreCxTimeout: scope.counter('downstream_pre_cx_timeout'),
  }
}

export function createTcpStats(registry: MetricsRegistry, statPrefix: string): TcpStats {
  const scope = scopeOf(registry, 'tcp', TCP_LABEL, statPrefix)
  return {
    downstreamCxTotal: scope.counter('downstream_cx_total'),
    downstreamCxRxBytesTotal: scope.counter('downstream_cx_rx_bytes_total'),
    downstreamCxTxBytesTotal: scope.counter('downstream_cx_tx_bytes_total'),
    downstreamCxNoRoute: scope.counter('downstream_cx_no_route'),
    upstreamCxConnectAttemptsExceeded: scope.counter('upstream_cx_connect_attempts_exceeded'),
    idleTimeout: scope.counter('idle_timeout'),
    maxConnectionDuration: scope.counter('max_downstream_connection_duration'),
  }
}
