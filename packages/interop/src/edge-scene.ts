import type { issueIdentity } from '@heddle/ca'
import type { ResourceSet } from '@heddle/xds-types'

export const TYPES = {
  cds: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  eds: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  lds: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  rds: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  sds: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  ecds: 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
  rtds: 'type.googleapis.com/envoy.service.runtime.v3.Runtime',
} as const
export type ShortType = keyof typeof TYPES

const EXTENSION = 'type.googleapis.com/envoy.extensions'
export const ADS = { ads: {}, resource_api_version: 'V3' }

/** What an edge proxy is to do: serve HTTPS on a port and spread requests over versions of an app. */
export interface EdgeWish {
  readonly port: number
  /** Version to the port of its app. */
  readonly apps: Readonly<Record<string, number>>
  /** Version to weight; only these have clusters. */
  readonly weights: Readonly<Record<string, number>>
  readonly identity: Awaited<ReturnType<typeof issueIdentity>>
  /** What the filter `teapot` answers to requests with the header `x-teapot`, by ECDS. */
  readonly teapotStatus: number
  /** The value of the runtime key `heddle.key`, by RTDS. */
  readonly runtime: number
}

/** All of it by discovery: listener, routes, clusters, endpoints, certificate, a filter's config, runtime. */
export function edgeResources(wish: EdgeWish): Record<ShortType, object[]> {
  const versions = Object.keys(wish.weights)
  return {
    cds: versions.map((name) => ({ name, type: 'EDS', connect_timeout: '5s', eds_cluster_config: { eds_config: ADS } })),
    eds: versions.map((name) => assignment(name, wish.apps[name] ?? 0)),
    lds: [listener(wish.port)],
    rds: [routes(wish.weights)],
    sds: [secret(wish.identity)],
    ecds: [{ name: 'teapot', typed_config: teapot(wish.teapotStatus) }],
    rtds: [{ name: 'runtime', layer: { 'heddle.key': wish.runtime } }],
  }
}

export function toSet(resources: Readonly<Record<ShortType, readonly object[]>>): ResourceSet {
  const entries = Object.entries(resources).map(([type, list]) => [TYPES[type as ShortType], list] as const)
  return { groups: [{ id: 'edge', resources: new Map(entries) }] }
}

function assignment(cluster_name: string, port_value: number): object {
  const endpoint = { address: { socket_address: { address: '127.0.0.1', port_value } } }
  return { cluster_name, endpoints: [{ lb_endpoints: [{ endpoint }] }] }
}

export function routes(weights: Readonly<Record<string, number>>): object {
  const clusters = Object.entries(weights).map(([name, weight]) => ({ name, weight }))
  const route = { match: { prefix: '/' }, route: { weighted_clusters: { clusters } } }
  return { name: 'routes', virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] }
}

function secret({ certificateChain, privateKey }: EdgeWish['identity']): object {
  const tls_certificate = { certificate_chain: { inline_string: certificateChain }, private_key: { inline_string: privateKey } }
  return { name: 'edge-certificate', tls_certificate }
}

function teapot(http_status: number): object {
  return {
    '@type': `${EXTENSION}.filters.http.fault.v3.HTTPFault`,
    abort: { http_status, percentage: { numerator: 100 } },
    headers: [{ name: 'x-teapot', present_match: true }],
  }
}

export const ROUTER = { name: 'router', typed_config: { '@type': `${EXTENSION}.filters.http.router.v3.Router` } }

export function manager(more: object = {}): object {
  const discovered = { config_source: ADS, type_urls: [`${EXTENSION}.filters.http.fault.v3.HTTPFault`] }
  const typed_config = {
    '@type': `${EXTENSION}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'edge',
    rds: { route_config_name: 'routes', config_source: ADS },
    http_filters: [{ name: 'teapot', config_discovery: discovered }, ROUTER],
    ...more,
  }
  return { name: 'http', typed_config }
}

function listener(port_value: number): object {
  const certificate = { name: 'edge-certificate', sds_config: ADS }
  const tls = {
    '@type': `${EXTENSION}.transport_sockets.tls.v3.DownstreamTlsContext`,
    common_tls_context: { tls_certificate_sds_secret_configs: [certificate] },
  }
  return {
    name: 'edge',
    address: { socket_address: { address: '127.0.0.1', port_value } },
    filter_chains: [{ filters: [manager()], transport_socket: { name: 'tls', typed_config: tls } }],
  }
}
