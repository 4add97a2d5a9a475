import type { Clock, MetricsRegistry } from '@heddle/runtime'
import type { ProxyBootstrap } from '../bootstrap.js'
import type { Runtime } from '../runtime.js'
import type { ConfigStore } from '../state/config-store.js'
import type { ListenerManager } from '../state/listener-manager.js'
import type { UpstreamCluster } from '../upstream/cluster.js'
import type { ClusterManager } from '../upstream/cluster-manager.js'
import type { AdminViews, ClusterView, ServerState } from './page.js'

export interface ViewParts {
  version: string
  bootstrap: ProxyBootstrap
  clock: Clock
  stats: MetricsRegistry
  runtime: Runtime
  store: ConfigStore
  listeners: ListenerManager
  clusters: ClusterManager
  state(): ServerState
}

/** What the admin pages show, read from the parts at the moment of asking. */
export function createAdminViews(parts: ViewParts): AdminViews {
  const { bootstrap, clock, store } = parts
  return {
    get state() {
      return parts.state()
    },
    version: parts.version,
    node: bootstrap.node,
    bootstrap: bootstrap.message,
    startedAt: clock.now(),
    now: () => clock.now(),
    stats: parts.stats,
    runtime: parts.runtime,
    get listeners() {
      return parts.listeners.listeners
    },
    get clusters() {
      return [...parts.clusters.clusters].map(viewOf)
    },
    records: () => store.records(),
    get secrets() {
      return store.secrets()
    },
  }
}

function viewOf(cluster: UpstreamCluster): ClusterView {
  return {
    cluster: cluster.compiled,
    hosts: [...cluster.hosts].map((host) => ({
      endpoint: host.endpoint,
      ejected: cluster.outlierFor(host.endpoint)?.isEjected(host.endpoint) ?? false,
      active: cluster.health.active(host.endpoint),
      stats: {
        cx_active: host.activeConnections,
        cx_connect_fail: host.connectFailures,
        cx_total: host.totalConnections,
        rq_active: host.activeRequests,
        rq_error: host.errors,
        rq_success: host.successes,
        rq_timeout: host.timeouts,
        rq_total: host.totalRequests,
      },
    })),
  }
}
