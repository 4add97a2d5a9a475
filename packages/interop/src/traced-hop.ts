import type { ProxyOptions, ProxyServer } from '@heddle/proxy-core'
import { startReadyProxy } from './ready-proxy.js'

/** One hop of a request: a proxy that listens, forwards, and tells collectors. */
export interface HopOptions {
  readonly name: string
  readonly port: number
  readonly upstreamPort: number
  readonly direction: 'INBOUND' | 'OUTBOUND'
  /** HttpConnectionManager.Tracing.provider's typed_config, whose collector is the cluster `collector`. */
  readonly provider: object
  readonly collectorPort: number
  /** The collector speaks gRPC. */
  readonly grpc: boolean
  readonly accessLogs?: readonly object[]
  readonly bootstrap?: object
}

const TYPES = 'type.googleapis.com/envoy.extensions.'

/** A bootstrap for stock Envoy and for our own proxy alike. Spans and logs are sent at once. */
export function hopBootstrap(hop: HopOptions): object {
  return {
    node: { id: hop.name, cluster: hop.name, locality: { zone: 'z1' } },
    layered_runtime: {
      layers: [
        {
          name: 'at-once',
          static_layer: {
            'tracing.opentelemetry.min_flush_spans': 1,
            'tracing.zipkin.min_flush_spans': 1,
          },
        },
      ],
    },
    static_resources: {
      listeners: [listener(hop)],
      clusters: [cluster('app', hop.upstreamPort, false), cluster('collector', hop.collectorPort, hop.grpc)],
    },
    ...hop.bootstrap,
  }
}

function listener({ port, direction, provider, accessLogs = [] }: HopOptions): object {
  return {
    name: 'hop',
    traffic_direction: direction,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': `${TYPES}filters.network.http_connection_manager.v3.HttpConnectionManager`,
              stat_prefix: 'hop',
              tracing: { provider: { name: 'traced', typed_config: provider } },
              access_log: accessLogs,
              route_config: {
                virtual_hosts: [{ name: 'app', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] }],
              },
              http_filters: [{ name: 'router', typed_config: { '@type': `${TYPES}filters.http.router.v3.Router` } }],
            },
          },
        ],
      },
    ],
  }
}

function cluster(name: string, port: number, http2: boolean): object {
  const options = `${TYPES}upstreams.http.v3.HttpProtocolOptions`
  const address = { socket_address: { address: '127.0.0.1', port_value: port } }
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...(http2 && {
      typed_extension_protocol_options: {
        [options.slice(options.lastIndexOf('/') + 1)]: { '@type': options, explicit_http_config: { http2_protocol_options: {} } },
      },
    }),
  }
}

/** Our own proxy as a hop. */
export async function startHop(hop: HopOptions, options: Partial<ProxyOptions> = {}): Promise<ProxyServer> {
  return (await startReadyProxy({ bootstrap: hopBootstrap(hop), ...options })).proxy
}
