import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { typed } from '../message.js'
import { listenerName } from '../names.js'

const ROUTER: HttpFilter = {
  name: 'envoy.filters.http.router',
  typed_config: typed('envoy.extensions.filters.http.router.v3.Router'),
}
const METRICS = [
  'text/plain',
  'application/vnd.google.protobuf',
  'application/openmetrics-text',
  'application/openmetrics-protobuf',
]

/** `/stats/prometheus` of Envoy's admin page, for who may not see the rest of it. */
export function prometheusListener(address: string, port: number, compressed: boolean): Listener {
  const filters = compressed
    ? [compressor('brotli', 'Brotli'), compressor('zstd', 'Zstd'), compressor('gzip', 'Gzip'), ROUTER]
    : [ROUTER]
  return listener(address, port, 'stats', '/stats/prometheus', 'prometheus_stats', filters)
}

/** `/healthz/ready` of the agent. */
export function healthListener(address: string, port: number): Listener {
  return listener(address, port, 'agent', '/healthz/ready', 'agent', [ROUTER])
}

function listener(
  address: string,
  port: number,
  stat: string,
  prefix: string,
  cluster: string,
  filters: readonly HttpFilter[],
): Listener {
  const manager = typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    codec_type: 'AUTO',
    stat_prefix: stat,
    route_config: { virtual_hosts: [{ name: 'backend', domains: ['*'], routes: [{ match: { prefix }, route: { cluster } }] }] },
    http_filters: filters,
  })
  return {
    name: listenerName(address, port),
    address: { socket_address: { address, port_value: port } },
    // Who watches the proxy must reach it when nobody else does.
    ignore_global_conn_limit: true,
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  }
}

function compressor(name: string, type: string): HttpFilter {
  const library = typed(`envoy.extensions.compression.${name}.compressor.v3.${type}`)
  return {
    name: `envoy.filters.http.compressor.${name}`,
    typed_config: typed('envoy.extensions.filters.http.compressor.v3.Compressor', {
      compressor_library: { name: `stats_${name}`, typed_config: library },
      response_direction_config: { common_config: { content_type: METRICS } },
    }),
  }
}
