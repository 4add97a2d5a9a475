import type { MessageType, TypeRegistry } from '@heddle/xds-types'
import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { CLUSTER_TYPES, meshCluster } from './clusters.js'

/** A message of the codec benches, as canonical JSON with proto names. */
export interface XdsMessage {
  readonly title: string
  readonly type: MessageType<unknown>
  /** What is in its Any fields. */
  readonly registry: TypeRegistry
  readonly json: object
}

export const XDS_MESSAGES: Readonly<Record<string, () => XdsMessage>> = {
  cluster: () => message('Cluster of a sidecar, three Any', Cluster, meshCluster(7)),
  routes: () => message('RouteConfiguration of 200 routes', RouteConfiguration, routes(200)),
  'endpoints-100': () => message('ClusterLoadAssignment of 100 endpoints', ClusterLoadAssignment, endpoints(100)),
  'endpoints-10000': () => message('ClusterLoadAssignment of 10,000 endpoints', ClusterLoadAssignment, endpoints(10_000)),
}

function message<T extends object>(title: string, type: MessageType<T>, json: T): XdsMessage {
  // As it comes from text: strings that were put together here would be slower for whoever reads them first.
  return { title, type: type as MessageType<unknown>, registry: CLUSTER_TYPES, json: JSON.parse(JSON.stringify(json)) as object }
}

function routes(count: number): RouteConfiguration {
  return {
    name: '8080',
    virtual_hosts: Array.from({ length: count }, (_, i) => {
      const host = `service-${i}.namespace-${i % 20}.svc.cluster.local`
      return {
        name: `${host}:8080`,
        domains: [host, `service-${i}.namespace-${i % 20}`, `10.4.${i >> 8}.${i & 255}`],
        include_request_attempt_count: true,
        routes: [
          {
            name: 'default',
            match: { prefix: '/', headers: [{ name: 'x-version', string_match: { exact: `v${i % 3}` } }] },
            route: {
              cluster: `outbound|8080|v${i % 3}|${host}`,
              timeout: '15s',
              max_grpc_timeout: '15s',
              retry_policy: {
                retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
                num_retries: 2,
                retriable_status_codes: [503],
                host_selection_retry_max_attempts: '5',
              },
            },
            decorator: { operation: `${host}:8080/*` },
          },
        ],
      }
    }),
  }
}

function endpoints(count: number): ClusterLoadAssignment {
  const zones = ['a', 'b', 'c']
  return {
    cluster_name: 'outbound|8080||service-7.namespace-7.svc.cluster.local',
    endpoints: zones.map((zone, at) => ({
      locality: { region: 'eu-west-1', zone: `eu-west-1${zone}` },
      load_balancing_weight: Math.ceil(count / 3),
      lb_endpoints: Array.from({ length: count }, (_, i) => i)
        .filter((i) => i % 3 === at)
        .map((i) => ({
          endpoint: { address: { socket_address: { address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port_value: 8080 } } },
          load_balancing_weight: 1,
          metadata: { filter_metadata: { istio: { workload: `service-7;namespace-7;service-7;v${i % 3};cluster-1` } } },
        })),
    })),
  }
}
