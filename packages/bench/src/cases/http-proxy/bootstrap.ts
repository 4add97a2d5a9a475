import { type CertificateFiles, downstreamTls } from './certificate.js'
import { chainCluster, chainFilters, chainRoutes, JSON_LOG } from './chain.js'
import { typed } from './typed.js'

export interface Work {
  readonly protocol: 'HTTP1' | 'HTTP2'
  /** The filters, policies and limits of a real sidecar; else router and access log only. */
  readonly chain: boolean
  /** The listener ends TLS. */
  readonly secure?: boolean
  /** HTTP filters before those of the chain. */
  readonly filters?: readonly object[]
  /** Who the proxy is, as Istio's node metadata. */
  readonly node?: object
  /** Of the cluster. */
  readonly metadata?: object
  /** The port of the admin pages. Default: there are none. */
  readonly admin?: number
}

export interface BootstrapOptions extends Work {
  /** The listener ends TLS with it. */
  readonly certificate?: CertificateFiles | undefined
  readonly port: number
  readonly upstream: number
  readonly log: string
}

// As large as h2load asks for: nobody waits for windows.
const HTTP2 = { max_concurrent_streams: 1000, initial_stream_window_size: 1 << 24, initial_connection_window_size: 1 << 24 }

/** A static Envoy bootstrap: one listener, one cluster. Both proxies take it as it is. */
export function bootstrap(options: BootstrapOptions): object {
  const { port, upstream, log, protocol, chain, certificate, filters = [], node, metadata, admin } = options
  const transport = certificate === undefined ? {} : { transport_socket: downstreamTls(certificate, ['http/1.1']) }
  const routes = chain ? chainRoutes() : [{ match: { prefix: '/' }, route: { cluster: 'app' } }]
  const counted = chain ? { include_request_attempt_count: true } : {}
  const manager = typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'in',
    codec_type: protocol,
    use_remote_address: true,
    ...(chain ? { normalize_path: true, merge_slashes: true } : {}),
    ...(protocol === 'HTTP2' ? { http2_protocol_options: HTTP2 } : {}),
    access_log: [
      {
        name: 'envoy.access_loggers.file',
        typed_config: typed('access_loggers.file.v3.FileAccessLog', { path: log, ...(chain ? { log_format: JSON_LOG } : {}) }),
      },
    ],
    route_config: { name: 'routes', virtual_hosts: [{ name: 'app', domains: ['*'], routes, ...counted }] },
    http_filters: [
      ...filters,
      ...(chain ? chainFilters() : []),
      { name: 'envoy.filters.http.router', typed_config: typed('filters.http.router.v3.Router') },
    ],
  })
  return {
    ...(node === undefined ? {} : { node }),
    ...(admin === undefined ? {} : { admin: { address: socketAddress(admin) } }),
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: socketAddress(port),
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }], ...transport },
          ],
        },
      ],
      clusters: [
        {
          name: 'app',
          type: 'STATIC',
          connect_timeout: '5s',
          ...(chain ? chainCluster() : {}),
          ...(metadata === undefined ? {} : { metadata }),
          ...(protocol === 'HTTP2' ? { typed_extension_protocol_options: upstreamHttp2() } : {}),
          load_assignment: {
            cluster_name: 'app',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(upstream) } }] }],
          },
        },
      ],
    },
  }
}

function upstreamHttp2(): object {
  const explicit_http_config = { http2_protocol_options: HTTP2 }
  const options = typed('upstreams.http.v3.HttpProtocolOptions', { explicit_http_config })
  return { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': options }
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
