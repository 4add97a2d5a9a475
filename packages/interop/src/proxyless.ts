import type { ResourceGroup } from '@heddle/xds-types'
import type { Greeter } from './greeter.js'

// What a proxyless gRPC client asks for: LDS by the target's name -> RDS -> CDS -> EDS.
const TYPE = 'type.googleapis.com/envoy.config.'
const HTTP = 'type.googleapis.com/envoy.extensions.filters'
const ADS = { ads: {}, resource_api_version: 'V3' }

/** The API listener of a target and its routes. */
export function targetOf(name: string, routes: readonly object[]): ResourceGroup {
  const manager = {
    '@type': `${HTTP}.network.http_connection_manager.v3.HttpConnectionManager`,
    rds: { route_config_name: 'routes', config_source: ADS },
    http_filters: [{ name: 'router', typed_config: { '@type': `${HTTP}.http.router.v3.Router` } }],
  }
  const configuration = { name: 'routes', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] }
  return {
    id: name,
    resources: new Map([
      [`${TYPE}listener.v3.Listener`, [{ name, api_listener: { api_listener: manager } }]],
      [`${TYPE}route.v3.RouteConfiguration`, [configuration]],
    ]),
  }
}

/** Every request, by weight. */
export function weighted(weights: Readonly<Record<string, number>>): object {
  const clusters = Object.entries(weights).map(([name, weight]) => ({ name, weight }))
  return { match: { prefix: '' }, route: { weighted_clusters: { clusters } } }
}

/** Requests whose header `name` is exactly `value`. */
export function onHeader(name: string, value: string, cluster: string): object {
  return { match: { prefix: '', headers: [{ name, string_match: { exact: value } }] }, route: { cluster } }
}

/** A cluster for each, named like it. */
export function clustersOf(greeters: readonly Greeter[]): ResourceGroup {
  const clusters = greeters.map(({ name }) => ({ name, type: 'EDS', eds_cluster_config: { eds_config: ADS } }))
  const assignments = greeters.map(({ name, port }) => ({
    cluster_name: name,
    endpoints: [
      {
        locality: { region: 'here' },
        load_balancing_weight: 1,
        lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }],
      },
    ],
  }))
  return {
    id: 'clusters',
    resources: new Map<string, readonly object[]>([
      [`${TYPE}cluster.v3.Cluster`, clusters],
      [`${TYPE}endpoint.v3.ClusterLoadAssignment`, assignments],
    ]),
  }
}

/** A listener that says it has a cluster where its manager should be. */
export function brokenTarget(name: string): ResourceGroup {
  const listener = { name, api_listener: { api_listener: { '@type': `${TYPE}cluster.v3.Cluster`, name: 'not a manager' } } }
  return { id: 'broken', resources: new Map([[`${TYPE}listener.v3.Listener`, [listener]]]) }
}
