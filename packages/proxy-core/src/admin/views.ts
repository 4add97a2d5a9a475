import type { Clock, MetricsRegistry } from '@heddle/runtime'
import type { ProxyBootstrap } from '../bootstrap.js'
import { measureCircuitBreakers } from '../observe/circuit-breaker-stats.js'
import { createServerStats, type ServerStats } from '../observe/server-stats.js'
import type { ProxyOptions } from '../proxy-options.js'
import type { Runtime } from '../runtime.js'
import type { ConfigStore } from '../state/config-store.js'
import type { ListenerManager } from '../state/listener-manager.js'
import type { UpstreamCluster } from '../upstream/cluster.js'
import type { ClusterManager } from '../upstream/cluster-manager.js'
import type { AdminViews, ClusterView, ServerState } from './page.js'

export interface ViewParts {
  options: Pick<ProxyOptions, 'commandLineOptions'>
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
  const startedAt = clock.now()
  const serverStats = createServerStats(parts.stats)
  return {
    get state() {
      return parts.state()
    },
    version: parts.version,
    node: bootstrap.node,
    bootstrap: bootstrap.message,
    commandLineOptions: parts.options.commandLineOptions ?? {},
    startedAt,
    now: () => clock.now(),
    get stats() {
      measureServer(serverStats, parts, clock.now() - startedAt)
      measureClusters(parts)
      return parts.stats
    },
    runtime: parts.runtime,
    get listeners() {
      return parts.listeners.listeners
    },
    get clusters() {
      return [...parts.clusters.clusters].map(viewOf)
    },
    lookups: { tracked: false },
    records: () => store.records(),
    get secrets() {
      return store.secrets()
    },
  }
}

const STATES: readonly ServerState[] = ['LIVE', 'DRAINING', 'PRE_INITIALIZING', 'INITIALIZING']

/** What only says how things are is looked up when somebody reads the statistics. */
function measureServer(gauges: ServerStats, { store, listeners, clusters, state }: ViewParts, upMs: number): void {
  const all = listeners.listeners
  gauges.live.set(state() === 'LIVE' ? 1 : 0)
  gauges.state.set(STATES.indexOf(state()))
  gauges.uptime.set(Math.floor(upMs / 1000))
  gauges.totalConnections.set(all.reduce((sum, { connections }) => sum + connections, 0))
  gauges.listenersActive.set(all.length)
  gauges.listenersWarming.set(store.warming.current.listeners)
  gauges.clustersActive.set([...clusters.clusters].length)
  gauges.clustersWarming.set(store.warming.current.clusters)
}

function measureClusters({ stats, clusters }: ViewParts): void {
  for (const { compiled, resourcesFor } of clusters.clusters) {
    const name = compiled.altStatName || compiled.name
    measureCircuitBreakers(stats, name, 'default', resourcesFor('DEFAULT'))
    measureCircuitBreakers(stats, name, 'high', resourcesFor('HIGH'))
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
        rq_pending_active: host.pendingRequests,
        rq_success: host.successes,
        rq_timeout: host.timeouts,
        rq_total: host.totalRequests,
      },
    })),
  }
}
