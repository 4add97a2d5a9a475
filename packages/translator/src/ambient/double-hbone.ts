import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Filter, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { defined, typed } from '../message.js'
import { internalSocket, STATE, tunnelSocket, tunnelTls } from './hbone.js'
import { internalCluster, tunnelCluster, tunnelOptions } from './hbone-clusters.js'
import { state, tunnelListener, tunnelProxy } from './hbone-listeners.js'

/**
 * To another network: a tunnel to the workload or its waypoint, inside a tunnel to the network's gateway, which cannot look into the inner one.
 * Endpoints that stand for what is behind a gateway say in their metadata what the inner tunnel is for.
 */

const INNER = 'inner_connect_originate'
const OUTER = 'outer_connect_originate'

const TARGET = 'istio.double_hbone.hbone_target_address'
const TARGET_FORMAT = `%FILTER_STATE(${TARGET}:PLAIN)%`

/** One connection, one tunnel: the gateway's end is for one destination. */
const ONE_REQUEST = { max_requests_per_connection: 1 }

export function doubleTunnelListeners(build: Build): readonly Listener[] {
  const inner: Listener = {
    name: INNER,
    internal_listener: {},
    use_original_dst: false,
    filter_chains: [
      {
        filters: [
          PROPAGATE,
          tunnelProxy(INNER, { hostname: TARGET_FORMAT, headers_to_add: [header('x-forwarded-network', build.proxy.network)] }),
        ],
      },
    ],
  }
  const outer = tunnelListener(OUTER, { hostname: TARGET_FORMAT, headers_to_add: [header('x-istio-source', 'waypoint')] })
  return [inner, outer]
}

export function doubleTunnelClusters(build: Build): readonly Cluster[] {
  const socket = tunnelSocket('UpstreamTlsContext', { common_tls_context: tunnelTls(build) })
  return [
    internalCluster(build, INNER, OUTER, {
      typed_extension_protocol_options: tunnelOptions(ONE_REQUEST),
      transport_socket: internalSocket('internal_upstream_with_tls', socket),
    }),
    tunnelCluster(build, OUTER, { socket, common: ONE_REQUEST }),
  ]
}

function header(key: string, value: string): object {
  return { header: defined({ key, value: value || undefined }), append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }
}

const PROPAGATE: Filter = {
  name: 'propagate_endpoint_metadata',
  typed_config: typed('envoy.extensions.filters.network.set_filter_state.v3.Config', {
    on_new_connection: [
      state(STATE.destination, '%DYNAMIC_METADATA(envoy.filters.listener.original_dst:local)%', 'TRANSITIVE'),
      {
        ...state(TARGET, '%DYNAMIC_METADATA(istio:double_hbone:hbone_target_address)%', 'TRANSITIVE'),
        factory_key: 'istio.hashable_string',
      },
    ],
  }),
}
