import type { ClientTLSSettings } from '@heddle/config-model'
import type { Cluster_TransportSocketMatch } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import type { ClusterDraft } from '../clusters/draft.js'
import { RAW_BUFFER } from '../clusters/raw-buffer.js'
import { internalSocket } from './hbone.js'

/** Endpoints that take HBONE get it; the others what the cluster would have without. TLS that the user asks for stays inside the tunnel. */
export function addTunnelMatch({ cluster }: ClusterDraft, settings: ClientTLSSettings | undefined): void {
  const { transport_socket: socket, transport_socket_matches: matches, type } = cluster
  if (matches !== undefined) {
    cluster.transport_socket_matches = [tunnel(RAW_BUFFER), ...matches]
    return
  }
  const passes = type === 'ORIGINAL_DST' && (settings !== undefined || socket !== undefined)
  if (passes) return
  if (socket === undefined) {
    cluster.transport_socket_matches = [tunnel(RAW_BUFFER), { name: 'tlsMode-disabled', match: {}, transport_socket: RAW_BUFFER }]
    return
  }
  delete cluster.transport_socket
  cluster.transport_socket_matches =
    settings?.mode === 'ISTIO_MUTUAL'
      ? [tunnel(RAW_BUFFER), { name: 'tlsMode-istio', transport_socket: socket }]
      : [tunnel(socket), { name: 'user', transport_socket: socket }]
}

function tunnel(inner: TransportSocket): Cluster_TransportSocketMatch {
  return {
    name: 'hbone',
    match: { tunnel: 'http' },
    transport_socket: internalSocket('envoy.transport_sockets.internal_upstream', inner, [
      ['host', 'envoy.filters.listener.original_dst'],
      ['cluster', 'istio'],
      ['host', 'istio'],
    ]),
  }
}
