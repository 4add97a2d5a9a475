import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import type { MetadataKey } from '@heddle/xds-types/envoy/type/metadata/v3'
import type { Build } from '../build.js'
import { noLimits } from '../clusters/connection-pool.js'
import { duration, typed } from '../message.js'
import { statName } from '../names.js'
import { CONNECT_ORIGINATE, HBONE_PORT, internalSocket, MAIN_INTERNAL, tunnelSocket, tunnelTls } from './hbone.js'

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
const PASSTHROUGH_IDLE_TIMEOUT = '300s'
const TUNNEL_IDLE_TIMEOUT = '3600s'
const CLEANUP_INTERVAL = '60s'

/** The far end of tunnels: the address of the connection that goes into one, or that of the waypoint that its endpoint names. */
export function connectOriginateCluster(build: Build): Cluster {
  // A waypoint calls the workloads of its namespace, and other waypoints.
  const own = build.proxy.type === 'waypoint' ? [`spiffe://${build.mesh.trustDomain}/ns/${build.proxy.namespace}/sa/`] : []
  const socket = tunnelSocket('UpstreamTlsContext', { common_tls_context: tunnelTls(build, own) })
  return tunnelCluster(build, CONNECT_ORIGINATE, {
    socket,
    where: { metadata_key: { key: 'envoy.filters.listener.original_dst', path: [{ key: 'waypoint' }] } },
  })
}

interface Tunnel {
  readonly socket: TransportSocket
  /** Where another address than the connection's own may stand. */
  readonly where?: { readonly metadata_key: MetadataKey }
  readonly common?: object
}

/** Tunnels go to the address that the connection was for. */
export function tunnelCluster(build: Build, name: string, { socket, where = undefined, common }: Tunnel): Cluster {
  return {
    name,
    alt_stat_name: statName(name),
    type: 'ORIGINAL_DST',
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: duration(build.mesh.connectTimeout),
    cleanup_interval: CLEANUP_INTERVAL,
    circuit_breakers: noLimits(build),
    original_dst_lb_config: { ...where, upstream_port_override: HBONE_PORT },
    typed_extension_protocol_options: tunnelOptions(common),
    transport_socket: socket,
  }
}

/** CONNECT over HTTP/2. */
export function tunnelOptions(common: object = {}): NonNullable<Cluster['typed_extension_protocol_options']> {
  return {
    [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
      common_http_protocol_options: { idle_timeout: TUNNEL_IDLE_TIMEOUT, ...common },
      explicit_http_config: { http2_protocol_options: { allow_connect: true } },
    }),
  }
}

/** To a listener of the same proxy. */
export function internalCluster(
  build: Build,
  name: string,
  listener: string,
  more: Pick<Cluster, 'transport_socket' | 'typed_extension_protocol_options'> = {},
): Cluster {
  return {
    name,
    alt_stat_name: statName(name),
    type: 'STATIC',
    circuit_breakers: noLimits(build),
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { envoy_internal_address: { server_listener_name: listener } } } }] }],
    },
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        common_http_protocol_options: { idle_timeout: PASSTHROUGH_IDLE_TIMEOUT },
        use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} },
      }),
    },
    transport_socket: internalSocket(),
    ...more,
  }
}

export function mainInternalCluster(build: Build): Cluster {
  return internalCluster(build, MAIN_INTERNAL, MAIN_INTERNAL)
}
