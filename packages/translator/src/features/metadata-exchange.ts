import { writtenOnce } from '@heddle/xds-types'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { typed } from '../message.js'
import { exchangedLabels, exchangesMetadata } from '../peer-exchange.js'
import { type ListenerClass, proxyHeaders } from '../proxy-headers.js'
import type { HttpFeature } from './feature.js'

/** Peers tell each other who they are in headers: metrics and access logs name both sides. */
export const metadataExchange: HttpFeature = {
  name: 'metadata-exchange',
  filters({ build, listener, knownPeer }) {
    if (knownPeer || !exchangesMetadata(build)) return []
    return build.found.of('metadata exchange', [listener], () => [writtenOnce(exchange(build, listener))])
  },
}

function exchange(build: Build, listener: ListenerClass): HttpFilter {
  const discovery = [{ istio_headers: {} }, { workload_discovery: {} }]
  // A server answers whoever asked; only a client can keep its headers from going outside the mesh.
  const keep = listener !== 'inbound' && proxyHeaders(build.proxyConfig, listener).skipExchangeHeaders
  const propagation = [{ istio_headers: keep ? { skip_external_clusters: true } : {} }]
  const value =
    listener === 'inbound'
      ? { downstream_discovery: discovery, downstream_propagation: propagation }
      : { upstream_discovery: discovery, upstream_propagation: propagation }
  return {
    name: 'istio.metadata_exchange',
    typed_config: typed('udpa.type.v1.TypedStruct', {
      type_url: 'type.googleapis.com/io.istio.http.peer_metadata.Config',
      value: { ...value, ...exchangedLabels(build) },
    }),
  }
}

/** A waypoint finds out by its address whom it has called. */
export const waypointPeer: HttpFeature = {
  name: 'waypoint-peer',
  filters: ({ build }) => (build.proxy.type === 'waypoint' && !build.proxy.stockEnvoy ? [UPSTREAM_PEER] : []),
}

const UPSTREAM_PEER: HttpFilter = {
  name: 'waypoint_upstream_peer_metadata',
  typed_config: typed('udpa.type.v1.TypedStruct', {
    type_url: 'type.googleapis.com/io.istio.http.peer_metadata.Config',
    value: { upstream_discovery: [{ workload_discovery: {} }] },
  }),
}
