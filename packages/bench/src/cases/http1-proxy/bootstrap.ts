const typed = (type: string, config: object = {}): object => ({
  '@type': `type.googleapis.com/envoy.extensions.${type}`,
  ...config,
})

/** A static Envoy bootstrap: one listener, one cluster, router and file access log only. Both proxies take it as it is. */
export function bootstrap({ port, upstream, log }: { port: number; upstream: number; log: string }): object {
  const manager = typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'in',
    codec_type: 'HTTP1',
    use_remote_address: true,
    access_log: [
      { name: 'envoy.access_loggers.file', typed_config: typed('access_loggers.file.v3.FileAccessLog', { path: log }) },
    ],
    route_config: {
      name: 'routes',
      virtual_hosts: [{ name: 'app', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] }],
    },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: typed('filters.http.router.v3.Router') }],
  })
  return {
    static_resources: {
      listeners: [
        {
          name: 'in',
          address: socketAddress(port),
          filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'app',
          type: 'STATIC',
          connect_timeout: '5s',
          load_assignment: {
            cluster_name: 'app',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(upstream) } }] }],
          },
        },
      ],
    },
  }
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
