import type { TransportSocket } from '@heddle/xds-types/envoy/config/core/v3'
import { ask } from '../ask.js'
import type { Build } from '../build.js'
import { RAW_BUFFER } from '../clusters/raw-buffer.js'
import { typed } from '../message.js'
import { WORKLOAD_CERTIFICATE, WORKLOAD_ROOT } from '../names.js'
import { parseBool } from '../pilot-features.js'
import { compliant } from '../security/compliance.js'
import { agentSecret, tlsSocket } from '../security/tls-context.js'

/** HBONE: connections of the mesh inside HTTP/2 CONNECT over mTLS, what L4 proxies, waypoints and sidecars beside them speak. */

export const HBONE_PORT = 15008

/** Listener and cluster that put a connection into a tunnel. */
export const CONNECT_ORIGINATE = 'connect_originate'
/** The listener that takes tunnels. */
export const CONNECT_TERMINATE = 'connect_terminate'
/** Listener and cluster of what comes out of a tunnel. */
export const MAIN_INTERNAL = 'main_internal'
/** The cluster by which a waypoint puts something into a tunnel. */
export const ENCAP = 'encap'

/** Filter state that a tunnel's end leaves, and what is behind it reads. */
export const STATE = {
  destination: 'envoy.filters.listener.original_dst.local_ip',
  source: 'envoy.filters.listener.original_dst.remote_ip',
  authority: 'io.istio.connect_authority',
  peerPrincipal: 'io.istio.peer_principal',
  localPrincipal: 'io.istio.local_principal',
} as const

/** Whether istiod has proxies reach workloads through tunnels. */
export function sendsHbone({ features, proxy }: Build): boolean {
  return features.sendHbone || (features.ambient && proxy.type === 'waypoint')
}

/** Whether the proxy itself does: its node metadata DISABLE_HBONE_SEND may say no. */
export function tunnelsOut(build: Build): boolean {
  if (!sendsHbone(build)) return false
  if (build.proxy.type === 'waypoint') return true
  return ask(build.proxy, 'sends HBONE', ({ metadata }) => parseBool(String(metadata['DISABLE_HBONE_SEND'])) !== true)
}

/** Whether a sidecar takes tunnels beside plain mTLS. */
export function takesHbone({ features, proxy }: Build): boolean {
  return features.listenHbone && proxy.type === 'sidecar' && ['true', '1'].includes(String(proxy.metadata['ENABLE_HBONE'] ?? ''))
}

/** TLS of a tunnel, either end: peers of the mesh's trust domains. `prefixes` are let in beside them. */
export function tunnelTls(build: Build, prefixes: readonly string[] = []): object {
  const { trustDomain, trustDomainAliases } = build.mesh
  const domains = [trustDomain, ...trustDomainAliases].map((domain) => `spiffe://${domain}/`)
  return compliant(build, {
    alpn_protocols: ['h2'],
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    tls_certificate_sds_secret_configs: [agentSecret(WORKLOAD_CERTIFICATE)],
    combined_validation_context: {
      default_validation_context: {
        match_typed_subject_alt_names: [...domains, ...prefixes].map((prefix) => ({
          san_type: 'URI' as const,
          matcher: { prefix },
        })),
      },
      validation_context_sds_secret_config: agentSecret(WORKLOAD_ROOT),
    },
  })
}

/** The name that Istio gives to TLS of tunnels. */
export function tunnelSocket(type: 'UpstreamTlsContext' | 'DownstreamTlsContext', context: object): TransportSocket {
  return { ...tlsSocket(type, context), name: 'tls' }
}

const INTERNAL_UPSTREAM = 'envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport'
const NAMED_RAW_BUFFER: TransportSocket = { ...RAW_BUFFER, name: 'raw_buffer' }

/** What a connection to an internal listener tells it: metadata of the endpoint (`host`) or the cluster, by filter name. */
export type PassedOn = readonly (readonly ['host' | 'cluster', string])[]

/** To a listener of the same proxy. */
export function internalSocket(
  name = 'internal_upstream',
  inner: TransportSocket = NAMED_RAW_BUFFER,
  passed: PassedOn = [],
): TransportSocket {
  const passthrough_metadata = passed.map(([kind, filter]) => ({ kind: { [kind]: {} }, name: filter }))
  return {
    name,
    typed_config: typed(INTERNAL_UPSTREAM, {
      passthrough_metadata: passthrough_metadata.length === 0 ? undefined : passthrough_metadata,
      transport_socket: inner,
    }),
  }
}
