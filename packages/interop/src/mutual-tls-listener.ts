import { createIdentitySecrets, createProxy, type WorkloadIdentity } from '@heddle/proxy-core'
import { silentLogger, type Watch } from '@heddle/runtime'
import { eventually } from './eventually.js'

/** What a validation context of Envoy has, inline. */
export interface Validation {
  readonly trusted_ca: { readonly inline_string: string }
  readonly crl?: { readonly inline_string: string }
}

const sds = (name: string): object => ({
  name,
  sds_config: {
    api_config_source: {
      api_type: 'GRPC',
      transport_api_version: 'V3',
      grpc_services: [{ envoy_grpc: { cluster_name: 'sds-grpc' } }],
    },
  },
})

const INLINE = (text: string): object => ({ inline_string: text })

/**
 * A bootstrap with one listener that wants a client certificate and answers 200. With an identity everything is inline; without one the
 * secrets are `default` and `ROOTCA`.
 */
export function mutualTlsBootstrap(
  port: number,
  inline?: { readonly identity: WorkloadIdentity; readonly validation: Validation },
): object {
  const tlsContext =
    inline === undefined
      ? {
          tls_certificate_sds_secret_configs: [sds('default')],
          combined_validation_context: { default_validation_context: {}, validation_context_sds_secret_config: sds('ROOTCA') },
        }
      : {
          tls_certificates: [
            {
              certificate_chain: INLINE(inline.identity.certificateChain),
              private_key: INLINE(inline.identity.privateKey),
            },
          ],
          validation_context: inline.validation,
        }
  return {
    node: { id: 'server', cluster: 'server' },
    static_resources: {
      listeners: [
        {
          name: 'mutual-tls',
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          filter_chains: [
            {
              transport_socket: {
                name: 'envoy.transport_sockets.tls',
                typed_config: {
                  '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
                  require_client_certificate: true,
                  common_tls_context: { alpn_protocols: ['http/1.1'], ...tlsContext },
                },
              },
              filters: [manager()],
            },
          ],
        },
      ],
    },
  }
}

const UPSTREAM = 'upstream'

/** A bootstrap with one plaintext listener, whose requests go to a server by mTLS. */
export function mutualTlsClientBootstrap(
  port: number,
  upstreamPort: number,
  { identity, validation }: { readonly identity: WorkloadIdentity; readonly validation: Validation },
): object {
  return {
    node: { id: 'client', cluster: 'client' },
    static_resources: {
      listeners: [
        {
          name: 'plain',
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          filter_chains: [{ filters: [manager({ route: { cluster: UPSTREAM } })] }],
        },
      ],
      clusters: [
        {
          name: UPSTREAM,
          type: 'STATIC',
          connect_timeout: '5s',
          load_assignment: {
            cluster_name: UPSTREAM,
            endpoints: [
              {
                lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: upstreamPort } } } }],
              },
            ],
          },
          transport_socket: {
            name: 'envoy.transport_sockets.tls',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
              common_tls_context: {
                alpn_protocols: ['http/1.1'],
                tls_certificates: [
                  { certificate_chain: INLINE(identity.certificateChain), private_key: INLINE(identity.privateKey) },
                ],
                validation_context: validation,
              },
            },
          },
        },
      ],
    },
  }
}

const ANSWER = { direct_response: { status: 200, body: { inline_string: 'ok' } } }

function manager(action: object = ANSWER): object {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      stat_prefix: 'mutual-tls',
      route_config: {
        name: 'all',
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: { prefix: '/' }, ...action }],
          },
        ],
      },
      http_filters: [
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
        },
      ],
    },
  }
}

/** Our proxy on such a listener, with an identity that may change at any time. */
export function startMutualTls(port: number, identity: Watch<WorkloadIdentity>): Promise<{ close(): Promise<void> }> {
  return startHeddle(mutualTlsBootstrap(port), createIdentitySecrets(identity))
}

/** Our proxy on any bootstrap; resolves when it is ready. */
export async function startHeddle(
  bootstrap: object,
  secrets?: ReturnType<typeof createIdentitySecrets>,
): Promise<{ close(): Promise<void> }> {
  const proxy = createProxy({
    bootstrap,
    ...(secrets === undefined ? {} : { secrets }),
    logger: silentLogger,
    accessLogSinks: () => ({ write: () => {} }),
  })
  await proxy.start()
  await eventually(
    () => proxy.ready.current,
    (ready) => ready,
  )
  return { close: () => proxy.close() }
}
