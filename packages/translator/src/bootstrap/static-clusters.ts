import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { typed } from '../message.js'
import { statName } from '../names.js'

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
const HTTP2 = { [HTTP_OPTIONS]: typed(HTTP_OPTIONS, { explicit_http_config: { http2_protocol_options: {} } }) }
const MANY = { max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000 }

function cluster(name: string, timeout: string, address: object): Cluster {
  return {
    name,
    alt_stat_name: statName(name),
    type: 'STATIC',
    connect_timeout: timeout,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  }
}

/** HTTP/1.1 to a port of this machine. */
export function loopbackCluster(name: string, address: string, port: number): Cluster {
  return cluster(name, '0.250s', { socket_address: { address, port_value: port } })
}

/** gRPC over a Unix socket. */
export function pipeCluster(name: string, path: string): Cluster {
  return { ...cluster(name, '1s', { pipe: { path } }), typed_extension_protocol_options: HTTP2 }
}

/** The control plane, by the agent: limits that a large configuration never meets. */
export function xdsCluster(path: string): Cluster {
  return {
    ...pipeCluster('xds-grpc', path),
    circuit_breakers: { thresholds: [MANY, { priority: 'HIGH', ...MANY }] },
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 300 } },
  }
}
