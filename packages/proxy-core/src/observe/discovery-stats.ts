import type { Counter, Gauge, MetricsRegistry } from '@heddle/runtime'
import { EXTENSION_CONFIG_LABEL, HTTP_LABEL, SCOPED_RDS_LABEL } from './labels.js'

/** Envoy's statistics of filter configs and scopes that are discovered. */
export interface DiscoveryStats {
  /** `extension_config_discovery.http_filter.<name>.*` */
  filter(name: string): FilterDiscoveryStats
  /** `http.<manager's stat_prefix>.scoped_rds.<name of the scoped_routes>.*` */
  scopes(manager: string, name: string): ScopeStats
}

interface FilterDiscoveryStats {
  /** A config came into force, or was taken back. */
  readonly configReload: Counter
  /** One was refused. */
  readonly configFail: Counter
  /** A listener came that does not take the type of the config which is there. */
  readonly configConflict: Counter
}

interface ScopeStats {
  readonly configReload: Counter
  readonly allScopes: Gauge
  /** Whose routes RDS has been asked for. */
  readonly activeScopes: Gauge
  readonly onDemandScopes: Gauge
}

export function createDiscoveryStats(registry: MetricsRegistry): DiscoveryStats {
  return {
    filter(name) {
      const counter = (stat: string): Counter =>
        registry
          .counter(`envoy_extension_config_discovery_http_filter_${stat}`, "Envoy's statistics of ECDS.", [
            EXTENSION_CONFIG_LABEL,
          ])
          .labels(name)
      return {
        configReload: counter('config_reload'),
        configFail: counter('config_fail'),
        configConflict: counter('config_conflict'),
      }
    },
    scopes(manager, name) {
      const help = "Envoy's statistics of SRDS."
      const labels = [HTTP_LABEL, SCOPED_RDS_LABEL] as const
      const gauge = (stat: string): Gauge => registry.gauge(`envoy_http_scoped_rds_${stat}`, help, labels).labels(manager, name)
      return {
        configReload: registry.counter('envoy_http_scoped_rds_config_reload', help, labels).labels(manager, name),
        allScopes: gauge('all_scopes'),
        activeScopes: gauge('active_scopes'),
        onDemandScopes: gauge('on_demand_scopes'),
      }
    },
  }
}
