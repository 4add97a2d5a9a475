import { createTypeRegistry, type TypeRegistry } from '@heddle/xds-types'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { RawBuffer } from '@heddle/xds-types/envoy/extensions/transport_sockets/raw_buffer/v3'
import { UpstreamTlsContext } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { HttpProtocolOptions } from '@heddle/xds-types/envoy/extensions/upstreams/http/v3'

/** What the clusters hold in an Any. */
export const CLUSTER_TYPES: TypeRegistry = createTypeRegistry([HttpProtocolOptions, RawBuffer, UpstreamTlsContext])

/** An outbound cluster of a sidecar, as a mesh has one for each port of a service. `revision` shows in its connect timeout. */
export function meshCluster(index: number, revision = 0): Cluster {
  const host = `service-${index}.namespace-${index % 20}.svc.cluster.local`
  const name = `outbound|8080||${host}`
  return {
    name,
    type: 'EDS',
    eds_cluster_config: { eds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' }, service_name: name },
    connect_timeout: `${10 + (revision % 50)}s`,
    lb_policy: 'LEAST_REQUEST',
    circuit_breakers: {
      thresholds: [
        {
          max_connections: 4294967295,
          max_pending_requests: 4294967295,
          max_requests: 4294967295,
          max_retries: 4294967295,
          track_remaining: true,
        },
      ],
    },
    outlier_detection: { consecutive_5xx: 5, interval: '10s', base_ejection_time: '30s', max_ejection_percent: 50 },
    common_lb_config: { locality_weighted_lb_config: {} },
    metadata: {
      filter_metadata: { istio: { services: [{ host, name: `service-${index}`, namespace: `namespace-${index % 20}` }] } },
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http_protocol_options: {} },
      },
    },
    transport_socket_matches: [
      { name: 'tlsMode-istio', match: { tlsMode: 'istio' }, transport_socket: mutualTls(host) },
      {
        name: 'tlsMode-disabled',
        match: {},
        transport_socket: {
          name: 'envoy.transport_sockets.raw_buffer',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer' },
        },
      },
    ],
  }
}

function mutualTls(host: string): NonNullable<Cluster['transport_socket']> {
  const secret = (name: string): object => ({
    name,
    sds_config: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
  })
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      common_tls_context: {
        alpn_protocols: ['istio-peer-exchange', 'istio'],
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
        tls_certificate_sds_secret_configs: [secret('default')],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [
              { san_type: 'URI', matcher: { exact: 'spiffe://cluster.local/ns/namespace/sa/service' } },
            ],
          },
          validation_context_sds_secret_config: secret('ROOTCA'),
        },
      },
      sni: `outbound_.8080_._.${host}`,
    },
  }
}
