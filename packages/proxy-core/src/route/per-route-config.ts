import { FILTER_DISABLED } from '../config/per-filter-config.js'
import type { RouteDecision } from './decision.js'
import type { RouteTable } from './table.js'

/** The most specific typed_per_filter_config of a filter: weighted cluster, route, virtual host, route configuration. */
export function perRouteConfigOf(
  decision: RouteDecision | undefined,
  table: RouteTable | undefined,
  filterName: string,
): unknown {
  const ofCluster = decision?.kind === 'forward' ? decision.target.perFilterConfig?.get(filterName) : undefined
  const ofRoute = decision === undefined || decision.kind === 'none' ? undefined : decision.route?.perFilterConfig.get(filterName)
  return ofCluster ?? ofRoute ?? decision?.virtualHost?.perFilterConfig.get(filterName) ?? table?.perFilterConfig.get(filterName)
}

/** Those of all levels, the most specific first, for filters that take them together; none without a route. */
export function perRouteConfigsOf(
  decision: RouteDecision | undefined,
  table: RouteTable | undefined,
  filterName: string,
): readonly unknown[] {
  if (decision === undefined || decision.kind === 'none') return []
  const ofCluster = decision.kind === 'forward' ? decision.target.perFilterConfig : undefined
  return [ofCluster, decision.route?.perFilterConfig, decision.virtualHost.perFilterConfig, table?.perFilterConfig].flatMap(
    (level) => {
      const config = level?.get(filterName)
      return config === undefined || config === FILTER_DISABLED ? [] : [config]
    },
  )
}
