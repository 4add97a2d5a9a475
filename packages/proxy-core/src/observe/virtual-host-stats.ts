import type { Counter, MetricsRegistry } from '@heddle/runtime'
import { CLASS_LABEL, CODE_LABEL, ROUTE_LABEL, VIRTUAL_CLUSTER_LABEL, VIRTUAL_HOST_LABEL } from './labels.js'

/** `vhost.<host>.vcluster.<name>.*` of a virtual cluster, or `vhost.<host>.route.<name>.*` of a route with a stat_prefix. */
export interface RequestStats {
  readonly total: Counter
  readonly retry: Counter
  readonly retryLimitExceeded: Counter
  readonly timeout: Counter
  /** Counts a finished answer under `upstream_rq_<code>` and `upstream_rq_<n>xx`. */
  completed(status: number): void
}

export type RequestStatsKind = 'vcluster' | 'route'
export type FindRequestStats = (virtualHost: string, kind: RequestStatsKind, name: string) => RequestStats

const LABELS = { vcluster: VIRTUAL_CLUSTER_LABEL, route: ROUTE_LABEL } as const

/** Made as requests come to them. */
export function createVirtualHostStats(registry: MetricsRegistry): FindRequestStats {
  const known = new Map<string, RequestStats>()
  return (virtualHost, kind, name) => {
    const key = `${kind}\n${virtualHost}\n${name}`
    let stats = known.get(key)
    if (stats === undefined) {
      stats = createRequestStats(registry, virtualHost, kind, name)
      known.set(key, stats)
    }
    return stats
  }
}

function createRequestStats(registry: MetricsRegistry, virtualHost: string, kind: RequestStatsKind, name: string): RequestStats {
  const labels = [VIRTUAL_HOST_LABEL, LABELS[kind]]
  const help = `Envoy's vhost ${kind} statistics.`
  const family = (stat: string): string => `envoy_vhost_${kind}_${stat}`
  const counter = (stat: string): Counter => registry.counter(family(stat), help, labels).labels(virtualHost, name)
  const classes = registry.counter(family('upstream_rq_xx'), help, [CLASS_LABEL, ...labels])
  const codes = registry.counter(family('upstream_rq'), help, [CODE_LABEL, ...labels])
  return {
    total: counter('upstream_rq_total'),
    retry: counter('upstream_rq_retry'),
    retryLimitExceeded: counter('upstream_rq_retry_limit_exceeded'),
    timeout: counter('upstream_rq_timeout'),
    completed(status) {
      classes.labels(String(Math.floor(status / 100)), virtualHost, name).inc()
      codes.labels(String(status), virtualHost, name).inc()
    },
  }
}
