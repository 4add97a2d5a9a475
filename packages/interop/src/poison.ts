import { manager, ROUTER, routes, type ShortType } from './edge-scene.js'

/** A resource that is well-formed and that Envoy must refuse. */
export interface Poison {
  readonly why: string
  readonly type: ShortType
  readonly name: string
  readonly resource: object
}

const EXTENSION = 'type.googleapis.com/envoy.extensions'
const UPSTREAM_HTTP = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
const GARBAGE = { inline_string: 'no PEM at all' }
const unknown = { name: 'unknown', typed_config: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'x' } }

const endpoint = (address: string, port_value = 80): object => ({
  endpoint: { address: { socket_address: { address, port_value } } },
})
const endpoints = (...lb_endpoints: object[]): object => ({ cluster_name: 'poison', endpoints: [{ lb_endpoints }] })

const CLUSTERS: Readonly<Record<string, object>> = {
  'an address that is none': { type: 'STATIC', load_assignment: endpoints(endpoint('shop.local')) },
  'a port beyond 65535': { type: 'STATIC', load_assignment: endpoints(endpoint('127.0.0.1', 70_000)) },
  'an endpoint of weight 0': {
    type: 'STATIC',
    load_assignment: endpoints({ ...endpoint('127.0.0.1'), load_balancing_weight: 0 }),
  },
  'a connect timeout of 0': { connect_timeout: '0s' },
  'a ring that is too large': { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '9000000' } },
  'a ring that is larger than its most': {
    lb_policy: 'RING_HASH',
    ring_hash_lb_config: { minimum_ring_size: '2048', maximum_ring_size: '1024' },
  },
  'a table that is not prime': { lb_policy: 'MAGLEV', maglev_lb_config: { table_size: '1000' } },
  'a logical name with two endpoints': {
    type: 'LOGICAL_DNS',
    load_assignment: endpoints(endpoint('shop.local'), endpoint('bank.local')),
  },
  'an original destination that is balanced': { type: 'ORIGINAL_DST', lb_policy: 'ROUND_ROBIN' },
  'an outlier detection of 101 %': { outlier_detection: { enforcing_consecutive_5xx: 101 } },
  'an ejection of 101 %': { outlier_detection: { max_ejection_percent: 101 } },
  'a health check without a timeout': { health_checks: [{ interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1 }] },
  'a health check of nothing': {
    health_checks: [{ timeout: '1s', interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1 }],
  },
  'a retry budget of 101 %': { circuit_breakers: { thresholds: [{ retry_budget: { budget_percent: { value: 101 } } }] } },
  'an unknown transport socket': { transport_socket: unknown },
  'a certificate that is none': {
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': `${EXTENSION}.transport_sockets.tls.v3.UpstreamTlsContext`,
        common_tls_context: { validation_context: { trusted_ca: GARBAGE } },
      },
    },
  },
  'an unknown kind of cluster': { type: undefined, cluster_type: unknown },
  'an HTTP/2 window of 1 byte': {
    typed_extension_protocol_options: {
      [UPSTREAM_HTTP]: {
        '@type': `type.googleapis.com/${UPSTREAM_HTTP}`,
        explicit_http_config: { http2_protocol_options: { initial_stream_window_size: 1 } },
      },
    },
  },
  'protocol options that choose no protocol': {
    typed_extension_protocol_options: { [UPSTREAM_HTTP]: { '@type': `type.googleapis.com/${UPSTREAM_HTTP}` } },
  },
  'a panic threshold of 101 %': { common_lb_config: { healthy_panic_threshold: { value: 101 } } },
}

const http = (more: object): object => ({ filter_chains: [{ filters: [manager(more)] }] })
const inline = (...virtual_hosts: object[]): object => http({ rds: undefined, route_config: { name: 'inline', virtual_hosts } })
const tls = (context: object): object => ({
  filter_chains: [
    {
      filters: [manager()],
      transport_socket: {
        name: 'tls',
        typed_config: { '@type': `${EXTENSION}.transport_sockets.tls.v3.DownstreamTlsContext`, common_tls_context: context },
      },
    },
  ],
})

const LISTENERS: Readonly<Record<string, object>> = {
  'two chains that match alike': { filter_chains: [{ filters: [manager()] }, { filters: [manager()] }] },
  'a chain without a filter that ends it': { filter_chains: [{ filters: [manager(), manager()] }] },
  'an unknown network filter': { filter_chains: [{ filters: [unknown] }] },
  'an unknown listener filter': { ...http({}), listener_filters: [unknown] },
  'a manager without routes': http({ rds: undefined }),
  'a router that is not the last': http({ http_filters: [ROUTER, { ...ROUTER, name: 'again' }] }),
  'an unknown HTTP filter': http({ http_filters: [unknown, ROUTER] }),
  'a manager without a name for its statistics': http({ stat_prefix: '' }),
  'a certificate that is none': tls({ tls_certificates: [{ certificate_chain: GARBAGE, private_key: GARBAGE }] }),
  'a prefix that is no address': {
    filter_chains: [
      { filter_chain_match: { prefix_ranges: [{ address_prefix: 'nowhere', prefix_len: 8 }] }, filters: [manager()] },
    ],
  },
  'a server name with a wildcard inside': {
    filter_chains: [{ filter_chain_match: { server_names: ['a.*.example'] }, filters: [manager()] }],
  },
  'a log of what there is not': http({
    access_log: [
      {
        name: 'log',
        typed_config: {
          '@type': `${EXTENSION}.access_loggers.stream.v3.StdoutAccessLog`,
          log_format: { text_format_source: { inline_string: '%NOTHING_LIKE_IT%' } },
        },
      },
    ],
  }),
  'inline routes with a broken pattern': inline({
    name: 'all',
    domains: ['*'],
    routes: [{ match: { safe_regex: { regex: '(' } }, direct_response: { status: 200 } }],
  }),
  'an unknown transport socket': { filter_chains: [{ filters: [manager()], transport_socket: unknown }] },
}

const hosts = (...virtual_hosts: object[]): object => ({ virtual_hosts })
const host = (...all: object[]): object => hosts({ name: 'all', domains: ['*'], routes: all })
const to = (action: object): object => host({ match: { prefix: '/' }, route: { cluster: 'v1', ...action } })
const matching = (match: object): object => host({ match, route: { cluster: 'v1' } })

const ROUTES: Readonly<Record<string, object>> = {
  'a domain of two hosts': hosts({ name: 'a', domains: ['*'] }, { name: 'b', domains: ['*'] }),
  'a host without domains': hosts({ name: 'all' }),
  'a broken pattern': matching({ safe_regex: { regex: '(' } }),
  'a broken pattern of a header': matching({
    prefix: '/',
    headers: [{ name: 'x', string_match: { safe_regex: { regex: '(' } } }],
  }),
  'a match of nothing': matching({}),
  'a folder with a slash at its end': matching({ path_separated_prefix: '/a/' }),
  'a route that does nothing': host({ match: { prefix: '/' } }),
  'weights of 0': to({ cluster: undefined, weighted_clusters: { clusters: [{ name: 'v1', weight: 0 }] } }),
  'two rewrites': to({ prefix_rewrite: '/a', regex_rewrite: { pattern: { regex: 'a' }, substitution: 'b' } }),
  'an answer of status 99': host({ match: { prefix: '/' }, direct_response: { status: 99 } }),
  'a retry after no time': to({ retry_policy: { retry_back_off: { base_interval: '0s' } } }),
  'a hash of nothing': to({ hash_policy: [{}] }),
  'a header that is not to be touched': {
    ...host({ match: { prefix: '/' }, route: { cluster: 'v1' } }),
    request_headers_to_add: [{ header: { key: ':path', value: '/' } }],
  },
}

const ENDPOINTS: Readonly<Record<string, object>> = {
  'a name for an address': endpoints(endpoint('shop.local')),
  'a port beyond 65535': endpoints(endpoint('127.0.0.1', 70_000)),
  'a weight of 0': endpoints({ ...endpoint('127.0.0.1'), load_balancing_weight: 0 }),
  'priority 129': { endpoints: [{ priority: 129, lb_endpoints: [endpoint('127.0.0.1')] }] },
  'an overprovisioning of 0': { ...endpoints(endpoint('127.0.0.1')), policy: { overprovisioning_factor: 0 } },
}

/** `foreignKey`: the key of another certificate than `certificate`. */
export function poisons(certificate: string, foreignKey: string): readonly Poison[] {
  const SECRETS: Readonly<Record<string, object>> = {
    'a certificate that is none': { tls_certificate: { certificate_chain: GARBAGE, private_key: GARBAGE } },
    'a key of another certificate': {
      tls_certificate: { certificate_chain: { inline_string: certificate }, private_key: { inline_string: foreignKey } },
    },
  }
  const list = (type: ShortType, name: string, table: Readonly<Record<string, object>>, base: object): readonly Poison[] =>
    Object.entries(table).map(([why, broken]) => ({ why, type, name, resource: { ...base, ...broken } }))
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } }
  return [
    ...list('cds', 'poison', CLUSTERS, { name: 'poison', connect_timeout: '5s', type: 'STRICT_DNS' }),
    ...list('lds', 'poison', LISTENERS, { name: 'poison', address }),
    ...list('rds', 'routes', ROUTES, routes({ v1: 100 })),
    ...list('eds', 'v1', ENDPOINTS, {}).map((one) => ({ ...one, resource: { ...one.resource, cluster_name: 'v1' } })),
    ...list('sds', 'edge-certificate', SECRETS, { name: 'edge-certificate' }),
  ]
}
