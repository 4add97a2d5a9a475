import type { ResourcesJson } from '@heddle/translator'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Named = Readonly<Record<string, unknown>>

const nameOf = (resource: object): string => {
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return cluster_name ?? name ?? ''
}

/**
 * A bootstrap that has everything a proxy would get over ADS in itself, so that `envoy --mode validate` looks at all of it: route configurations stand in
 * their listeners, load assignments in their clusters. Secrets stay where they are: at the agent.
 */
export function staticBootstrap(resources: ResourcesJson): object {
  const routes = new Map(resources.routes.map((one) => [nameOf(one), one]))
  const endpoints = new Map(resources.endpoints.map((one) => [nameOf(one), one]))
  return {
    node: { id: 'validated', cluster: 'validated' },
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
    },
    static_resources: {
      listeners: resources.listeners.map((listener) => withRoutes(listener as Json, routes)),
      clusters: [
        ...resources.clusters.map((cluster) => withEndpoints(cluster, endpoints)),
        ...['xds-grpc', 'sds-grpc'].map((name) => ({
          name,
          type: 'STATIC',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        })),
      ],
    },
  }
}

function withEndpoints(cluster: Cluster, endpoints: ReadonlyMap<string, object>): object {
  if (cluster.type !== 'EDS') return cluster
  const { eds_cluster_config: eds, ...rest } = cluster
  const assignment = endpoints.get(eds?.service_name ?? cluster.name ?? '') ?? { cluster_name: cluster.name }
  return { ...rest, type: 'STATIC', load_assignment: { ...assignment, cluster_name: cluster.name } }
}

/** Every `rds` becomes the route configuration that it names. */
function withRoutes(value: Json, routes: ReadonlyMap<string, object>): Json {
  if (Array.isArray(value)) return value.map((one) => withRoutes(one, routes))
  if (typeof value !== 'object' || value === null) return value
  const { rds, ...rest } = value as { readonly [key: string]: Json }
  const out = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, withRoutes(inner, routes)]))
  if (rds === undefined) return out
  const name = String((rds as Named)['route_config_name'])
  return { ...out, route_config: (routes.get(name) ?? { name }) as Json }
}

/** Without what only Istio's own build of Envoy has. */
export function withoutIstioFilters<T>(value: T): T {
  if (Array.isArray(value)) return value.filter((one) => !isIstioFilter(one)).map(withoutIstioFilters) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutIstioFilters(inner)])) as T
}

function isIstioFilter(value: unknown): boolean {
  const { name, typed_config } = (value ?? {}) as { name?: unknown; typed_config?: unknown }
  return typeof name === 'string' && name.startsWith('istio.') && typed_config !== undefined
}
