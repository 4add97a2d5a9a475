import type { TrafficPolicy } from '@heddle/config-model'
import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import { typed } from '../message.js'
import type { ClusterDraft } from './draft.js'
import { RAW_BUFFER } from './raw-buffer.js'

/** DestinationRule proxyProtocol: each connection begins with a PROXY header, before TLS. */
export function applyProxyProtocol({ cluster }: ClusterDraft, given: TrafficPolicy['proxyProtocol']): void {
  if (given === undefined) return
  const matches = cluster.transport_socket_matches
  if (matches !== undefined)
    cluster.transport_socket_matches = matches.map((match) => ({
      ...match,
      transport_socket: inside(given.version, match.transport_socket ?? RAW_BUFFER),
    }))
  else cluster.transport_socket = inside(given.version, cluster.transport_socket ?? RAW_BUFFER)
}

function inside(version: string | undefined, transport_socket: TransportSocket): TransportSocket {
  return {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    typed_config: typed('envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
      // V1 is the enum's zero: proto JSON leaves it out.
      config: version === 'V2' ? { version } : {},
      transport_socket,
    }),
  }
}
