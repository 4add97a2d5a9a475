import type { AccessLog } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { inFamily } from '../families.js'
import { socketAddress, WILDCARD } from '../listeners/binding.js'
import { ORIGINAL_DST } from '../listeners/listener-filters.js'
import { defined, NO_TIMEOUT, typed } from '../message.js'
import { listenerAccessLogs, tunnelAccessLogs } from '../telemetry/access-log.js'
import { CONNECT_ORIGINATE, CONNECT_TERMINATE, HBONE_PORT, MAIN_INTERNAL, STATE, tunnelSocket, tunnelTls } from './hbone.js'

/** Puts connections into tunnels to the address that they were for. */
export function connectOriginateListener(build: Build): Listener {
  // For sidecars and gateways it is a client, for waypoints part of what they serve.
  const listener = build.proxy.type === 'waypoint' ? 'inbound' : build.proxy.type === 'router' ? 'gateway' : 'outbound'
  return defined({
    ...tunnelListener(CONNECT_ORIGINATE, { hostname: '%DOWNSTREAM_LOCAL_ADDRESS%' }, tunnelAccessLogs(build, listener, 'start')),
    access_log: listenerAccessLogs(build, listener),
  })
}

/** An internal listener whose connections go into tunnels to the cluster of its own name. */
export function tunnelListener(name: string, tunneling_config: object, access_log?: readonly AccessLog[]): Listener {
  return {
    name,
    internal_listener: {},
    use_original_dst: false,
    listener_filters: [ORIGINAL_DST],
    filter_chains: [{ filters: [tunnelProxy(name, tunneling_config, access_log)] }],
  }
}

export function tunnelProxy(
  cluster: string,
  tunneling_config: object,
  access_log?: readonly AccessLog[],
): { name: string; typed_config: ReturnType<typeof typed> } {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: typed('envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
      stat_prefix: cluster,
      cluster,
      tunneling_config,
      access_log,
    }),
  }
}

/** Takes tunnels of clients with a certificate of the mesh, and hands what is in them to the listener behind, with who they are. */
export function connectTerminateListener(build: Build): Listener {
  const manager = defined({
    stat_prefix: CONNECT_TERMINATE,
    route_config: {
      name: 'default',
      virtual_hosts: [
        {
          name: 'default',
          domains: ['*'],
          routes: [
            {
              match: { connect_matcher: {} },
              route: { cluster: MAIN_INTERNAL, upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }] },
            },
          ],
        },
      ],
    },
    http_filters: [PEER_METADATA, AUTHORITY, ROUTER],
    http2_protocol_options: {
      allow_connect: true,
      max_concurrent_streams: 100,
      connection_keepalive: { interval: '10s', timeout: '20s' },
    },
    upgrade_configs: [{ upgrade_type: 'CONNECT' }],
    forward_client_cert_details: 'APPEND_FORWARD',
    set_current_client_cert_details: { subject: true, uri: true, dns: true },
    server_name: 'istio-envoy',
    use_remote_address: false,
    stream_idle_timeout: NO_TIMEOUT,
    access_log: tunnelAccessLogs(build, 'inbound', 'end'),
  })
  return defined({
    name: CONNECT_TERMINATE,
    address: socketAddress(inFamily(build, WILDCARD), HBONE_PORT),
    connection_balance_config: { exact_balance: {} },
    access_log: listenerAccessLogs(build, 'inbound'),
    filter_chains: [
      {
        name: 'default',
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', manager),
          },
        ],
        transport_socket: tunnelSocket('DownstreamTlsContext', {
          common_tls_context: tunnelTls(build),
          require_client_certificate: true,
        }),
      },
    ],
  })
}

const ROUTER: HttpFilter = {
  name: 'envoy.filters.http.router',
  typed_config: typed('envoy.extensions.filters.http.router.v3.Router'),
}

/** Who is at the other end is known by its address: an L4 proxy sends no headers about it. */
const PEER_METADATA: HttpFilter = {
  name: 'waypoint_downstream_peer_metadata',
  typed_config: typed('udpa.type.v1.TypedStruct', {
    type_url: 'type.googleapis.com/io.istio.http.peer_metadata.Config',
    value: { downstream_discovery: [{ workload_discovery: {} }], shared_with_upstream: true },
  }),
}

const hashable = { factory_key: 'istio.hashable_string' }

/** The connection behind goes to where the tunnel is for, from where its client is, under its name. */
const AUTHORITY: HttpFilter = {
  name: 'connect_authority',
  typed_config: typed('envoy.extensions.filters.http.set_filter_state.v3.Config', {
    on_request_headers: [
      state(STATE.destination, '%REQ(:AUTHORITY)%'),
      { ...state(STATE.authority, '%REQ(:AUTHORITY)%'), ...hashable },
      state(STATE.source, '%DOWNSTREAM_REMOTE_ADDRESS%'),
      { ...state(STATE.peerPrincipal, '%DOWNSTREAM_PEER_URI_SAN%'), ...hashable },
      { ...state(STATE.localPrincipal, '%DOWNSTREAM_LOCAL_URI_SAN%'), ...hashable },
    ],
  }),
}

/** A value of filter state, for connections and what they go on to. */
export function state(object_key: string, format: string, shared_with_upstream: 'ONCE' | 'TRANSITIVE' = 'ONCE'): object {
  return { object_key, format_string: { text_format_source: { inline_string: format } }, shared_with_upstream }
}
