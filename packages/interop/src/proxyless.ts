import type { ResourceGroup } from '@heddle/xds-types'

// What a proxyless gRPC client asks for: LDS by the target's name -> RDS -> CDS -> EDS.
const CONFIG = 'envoy.config.'
const TYPE = `type.googleapis.com/${CONFIG}`
const EXTENSION = 'type.googleapis.com/envoy.extensions'
const ADS = { ads: {}, resource_api_version: 'V3' }
/** The authority of xdstp names. */
export const AUTHORITY = 'heddle'
/** The certificate provider in a client's bootstrap. */
export const PROVIDER = 'workload'

/** What a target is to lead to. */
export interface TargetWish {
  /** Version to weight. */
  readonly weights: Readonly<Record<string, number>>
  /** Routes that are asked first. */
  readonly routes?: readonly object[]
  /** Fields of the last route's action besides the weights. */
  readonly action?: object
  /** HTTP filters before the router. */
  readonly filters?: readonly object[]
  /** Fields of every cluster. */
  readonly cluster?: object
  /** Version to ports, where they are not those of the greeter with that name. */
  readonly endpoints?: Readonly<Record<string, readonly number[]>>
  /** Names of the form `xdstp://heddle/…`; the target is then `xds://heddle/NAME`. Default false. */
  readonly uris?: boolean
}

/** The resources behind a target; `ports` are those of the greeters. */
export function targetGroups(target: string, wish: TargetWish, ports: Readonly<Record<string, number>>): ResourceGroup[] {
  const nameOf = (message: string, name: string): string =>
    wish.uris === true ? `xdstp://${AUTHORITY}/${CONFIG}${message}/${name}` : name
  return [clustersOf(target, wish, ports, nameOf), routesOf(target, wish, nameOf)]
}

/** The cluster of a version, for routes of one's own. */
export function clusterName(target: string, version: string): string {
  return `${target}.${version}`
}

type NameOf = (message: string, name: string) => string

function routesOf(target: string, wish: TargetWish, nameOf: NameOf): ResourceGroup {
  const { weights, routes = [], action, filters = [] } = wish
  const clusters = Object.entries(weights).map(([version, weight]) => {
    return { name: nameOf('cluster.v3.Cluster', clusterName(target, version)), weight }
  })
  const routeName = nameOf('route.v3.RouteConfiguration', target)
  const manager = {
    '@type': `${EXTENSION}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    rds: { route_config_name: routeName, config_source: ADS },
    http_filters: [...filters, { name: 'router', typed_config: { '@type': `${EXTENSION}.filters.http.router.v3.Router` } }],
  }
  const all = [...routes, { match: { prefix: '' }, route: { weighted_clusters: { clusters }, ...action } }]
  const listener = { name: nameOf('listener.v3.Listener', target), api_listener: { api_listener: manager } }
  return {
    id: `routes of ${target}`,
    resources: new Map<string, object[]>([
      [`${TYPE}listener.v3.Listener`, [listener]],
      [
        `${TYPE}route.v3.RouteConfiguration`,
        [{ name: routeName, virtual_hosts: [{ name: 'all', domains: ['*'], routes: all }] }],
      ],
    ]),
  }
}

function clustersOf(target: string, wish: TargetWish, ports: Readonly<Record<string, number>>, nameOf: NameOf): ResourceGroup {
  const versions = Object.keys(wish.weights)
  const assignmentOf = (version: string): string => nameOf('endpoint.v3.ClusterLoadAssignment', clusterName(target, version))
  const clusters = versions.map((version) => ({
    name: nameOf('cluster.v3.Cluster', clusterName(target, version)),
    type: 'EDS',
    eds_cluster_config: { eds_config: ADS, service_name: assignmentOf(version) },
    lb_policy: 'ROUND_ROBIN',
    ...wish.cluster,
  }))
  const endpointOf = (port_value: number): object => ({
    health_status: 'HEALTHY',
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value } } },
  })
  const assignments = versions.map((version) => {
    const lb_endpoints = (wish.endpoints?.[version] ?? [ports[version] ?? 0]).map(endpointOf)
    return {
      cluster_name: assignmentOf(version),
      endpoints: [{ locality: { region: 'here' }, load_balancing_weight: 1, lb_endpoints }],
    }
  })
  return {
    id: `clusters of ${target}`,
    resources: new Map<string, object[]>([
      [`${TYPE}cluster.v3.Cluster`, clusters],
      [`${TYPE}endpoint.v3.ClusterLoadAssignment`, assignments],
    ]),
  }
}

/** Fields of a cluster whose client shows its certificate, and takes only a server that is `identity`. */
export function mutualTls(identity: string): object {
  const typed_config = {
    '@type': `${EXTENSION}.transport_sockets.tls.v3.UpstreamTlsContext`,
    common_tls_context: {
      tls_certificate_provider_instance: { instance_name: PROVIDER },
      validation_context: {
        ca_certificate_provider_instance: { instance_name: PROVIDER },
        match_subject_alt_names: [{ exact: identity }],
      },
    },
  }
  return { transport_socket: { name: 'envoy.transport_sockets.tls', typed_config } }
}

/** A listener that says it has a cluster where its manager should be. */
export function brokenTarget(name: string): ResourceGroup {
  const listener = { name, api_listener: { api_listener: { '@type': `${TYPE}cluster.v3.Cluster`, name: 'not a manager' } } }
  return { id: 'broken', resources: new Map([[`${TYPE}listener.v3.Listener`, [listener]]]) }
}
