import type { Counter, Gauge, MetricsRegistry } from '@heddle/runtime'
import { resourceTypeOf } from '@heddle/xds-types/known'

/** `server.*`, `listener_manager.*`, `cluster_manager.*` and `control_plane.*`. */
export interface ServerStats {
  /** 1 unless the server starts, drains or was told to fail health checks. */
  readonly live: Gauge
  /** As envoy.admin.v3.ServerInfo.State numbers them. */
  readonly state: Gauge
  /** Seconds since the start. */
  readonly uptime: Gauge
  /** Open downstream connections. */
  readonly totalConnections: Gauge
  readonly listenersActive: Gauge
  readonly listenersWarming: Gauge
  readonly clustersActive: Gauge
  readonly clustersWarming: Gauge
  /** 1 while a stream to the management server is open and has brought something. */
  readonly connected: Gauge
  /** Responses of a type taken whole. */
  updateSuccess(typeUrl: string): Counter
  /** Responses of a type of which something was refused. */
  updateRejected(typeUrl: string): Counter
  /** Resources of a type, or all of it, that were waited for in vain. */
  initFetchTimeout(typeUrl: string): Counter
}

const TYPE_LABEL = 'envoy_xds_type'

export function createServerStats(registry: MetricsRegistry): ServerStats {
  const gauge = (name: string): Gauge => registry.gauge(`envoy_${name}`, "Envoy's server statistics.").labels()
  const updates = (name: string): ((typeUrl: string) => Counter) => {
    const family = registry.counter(`envoy_xds_${name}`, 'Updates from the management server by resource type.', [TYPE_LABEL])
    const own = new Map([
      ['Cluster', registry.counter(`envoy_cluster_manager_cds_${name}`, "Envoy's statistics of CDS.").labels()],
      ['Listener', registry.counter(`envoy_listener_manager_lds_${name}`, "Envoy's statistics of LDS.").labels()],
    ])
    return (typeUrl) => {
      const type = resourceTypeOf(typeUrl)?.shortName ?? typeUrl
      return own.get(type) ?? family.labels(type)
    }
  }
  return {
    live: gauge('server_live'),
    state: gauge('server_state'),
    uptime: gauge('server_uptime'),
    totalConnections: gauge('server_total_connections'),
    listenersActive: gauge('listener_manager_total_listeners_active'),
    listenersWarming: gauge('listener_manager_total_listeners_warming'),
    clustersActive: gauge('cluster_manager_active_clusters'),
    clustersWarming: gauge('cluster_manager_warming_clusters'),
    connected: gauge('control_plane_connected_state'),
    updateSuccess: updates('update_success'),
    updateRejected: updates('update_rejected'),
    initFetchTimeout: updates('init_fetch_timeout'),
  }
}
