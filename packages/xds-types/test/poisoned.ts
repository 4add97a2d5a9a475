// A bootstrap that stock Envoy accepts, and ways to spoil it: each breaks one rule of the API.

const type = (name: string): string => `type.googleapis.com/envoy.${name}`
const PORT = { address: '127.0.0.1', port_value: 80 }
export const CLUSTER = 'static_resources.clusters.0'
export const LISTENER = 'static_resources.listeners.0'
export const MANAGER: string = `${LISTENER}.filter_chains.0.filters.0.typed_config`
export const ROUTE: string = `${MANAGER}.route_config.virtual_hosts.0.routes.0`
const TLS = `${CLUSTER}.transport_socket.typed_config`
const FILTERS = `${MANAGER}.http_filters`
const HEALTH_CHECK = `${CLUSTER}.health_checks.0`
const ENDPOINT = `${CLUSTER}.load_assignment.endpoints.0`

/** A self-signed certificate that nobody has the key of. */
const CA = `-----BEGIN CERTIFICATE-----
MIIBcDCCARWgAwIBAgIUPc+QYgT1WhRWCu8FrDnYnD2zX/QwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjEwOTQ5NDhaGA8yMTI2MTAyODA5NDk0OFow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIaeFOKdXGET
ndEgb3o6QC1qc8TzM2oUqv0hR8Qg1BeULE0iFoKsHI1zio6XnBdTdZ97FfCi3m8F
BQ6jkJTEuGGjUzBRMB0GA1UdDgQWBBSOfbB9TJYDC25h+UFOAS8pKm7CHzAfBgNV
HSMEGDAWgBSOfbB9TJYDC25h+UFOAS8pKm7CHzAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0kAMEYCIQCec0w6vpyFZzXjyz7OVEk3eTLWZkSNpMNGXlCCUAoV
rQIhAK4VfoP8uwRcmAVa4+SkfJTaAAgfGSev0hpsETfUIiUS
-----END CERTIFICATE-----
`

export function soundBootstrap(): object {
  return { node: { id: 'n', cluster: 'c' }, static_resources: { clusters: [cluster()], listeners: [listener()] } }
}

function cluster(): object {
  return {
    name: 'c',
    type: 'STATIC',
    connect_timeout: '1s',
    lb_policy: 'ROUND_ROBIN',
    load_assignment: {
      cluster_name: 'c',
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { ...PORT } } }, load_balancing_weight: 1 }], priority: 0 },
      ],
    },
    health_checks: [
      { timeout: '1s', interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: { path: '/' } },
    ],
    outlier_detection: { interval: '1s', max_ejection_percent: 100 },
    circuit_breakers: { thresholds: [{ priority: 'DEFAULT', retry_budget: { budget_percent: { value: 100 } } }] },
    metadata: { filter_metadata: { a: {} } },
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': type('extensions.transport_sockets.tls.v3.UpstreamTlsContext'),
        sni: 'a',
        common_tls_context: {
          tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
          validation_context: {
            trusted_ca: { inline_string: CA },
            match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { exact: 'spiffe://a' } }],
          },
        },
      },
    },
  }
}

function listener(): object {
  const filter = (name: string, config: object): object => ({ name, typed_config: config })
  return {
    name: 'l',
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [
      {
        filters: [
          filter('hcm', {
            '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
            stat_prefix: 's',
            route_config: { virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route()] }] },
            access_log: [filter('file', { '@type': type('extensions.access_loggers.file.v3.FileAccessLog'), path: '/dev/null' })],
            http_filters: [
              filter('fault', {
                '@type': type('extensions.filters.http.fault.v3.HTTPFault'),
                abort: { http_status: 503, percentage: { numerator: 1 } },
              }),
              filter('buffer', { '@type': type('extensions.filters.http.buffer.v3.Buffer'), max_request_bytes: 1 }),
              filter('rbac', {
                '@type': type('extensions.filters.http.rbac.v3.RBAC'),
                rules: { policies: { p: { permissions: [{ any: true }], principals: [{ any: true }] } } },
              }),
              filter('limit', {
                '@type': type('extensions.filters.http.local_ratelimit.v3.LocalRateLimit'),
                stat_prefix: 's',
                token_bucket: { max_tokens: 1, fill_interval: '1s' },
              }),
              filter('router', { '@type': type('extensions.filters.http.router.v3.Router') }),
            ],
          }),
        ],
      },
    ],
  }
}

function route(): object {
  return {
    match: { prefix: '/', headers: [{ name: 'x', present_match: true }] },
    route: {
      cluster: 'c',
      hash_policy: [{ header: { header_name: 'h' } }],
      retry_policy: { retry_on: '5xx', retry_back_off: { base_interval: '1s' } },
      request_mirror_policies: [{ cluster: 'c' }],
    },
    request_headers_to_add: [{ header: { key: 'a', value: 'b' } }],
  }
}

/** What is set instead, by path; undefined: nothing. */
export const POISONS: readonly (readonly [path: string, value: unknown])[] = [
  [`${CLUSTER}.name`, ''],
  [`${CLUSTER}.connect_timeout`, '0s'],
  [`${CLUSTER}.type`, 99],
  [`${CLUSTER}.lb_policy`, 99],
  [`${CLUSTER}.cleanup_interval`, '0s'],
  [`${CLUSTER}.dns_refresh_rate`, '0.001s'],
  [`${CLUSTER}.ring_hash_lb_config`, { minimum_ring_size: 8388609 }],
  [`${CLUSTER}.maglev_lb_config`, { table_size: 5000012 }],
  [`${CLUSTER}.metadata.filter_metadata`, { '': {} }],
  [`${CLUSTER}.load_assignment.cluster_name`, ''],
  [`${CLUSTER}.transport_socket.name`, ''],
  [`${CLUSTER}.circuit_breakers.thresholds.0.priority`, 99],
  [`${CLUSTER}.circuit_breakers.thresholds.0.retry_budget.budget_percent.value`, 101],
  [`${CLUSTER}.outlier_detection.interval`, '0s'],
  [`${CLUSTER}.outlier_detection.max_ejection_percent`, 101],
  [`${CLUSTER}.outlier_detection.enforcing_consecutive_5xx`, 101],
  [`${HEALTH_CHECK}.timeout`, undefined],
  [`${HEALTH_CHECK}.interval`, '0s'],
  [`${HEALTH_CHECK}.unhealthy_threshold`, undefined],
  [`${HEALTH_CHECK}.http_health_check`, undefined],
  [`${HEALTH_CHECK}.http_health_check.path`, ''],
  [`${ENDPOINT}.priority`, 129],
  [`${ENDPOINT}.lb_endpoints.0.load_balancing_weight`, 0],
  [`${ENDPOINT}.lb_endpoints.0.endpoint.address.socket_address.address`, ''],
  [`${ENDPOINT}.lb_endpoints.0.endpoint.address.socket_address.port_value`, 65536],
  [`${ENDPOINT}.lb_endpoints.0.endpoint.address.socket_address`, undefined],
  [`${TLS}.sni`, 'a'.repeat(256)],
  [`${TLS}.common_tls_context.tls_params.tls_minimum_protocol_version`, 99],
  [`${TLS}.common_tls_context.validation_context.match_typed_subject_alt_names.0.san_type`, 'SAN_TYPE_UNSPECIFIED'],
  [`${TLS}.common_tls_context.validation_context.match_typed_subject_alt_names.0.matcher`, undefined],
  [`${TLS}.common_tls_context.validation_context.verify_certificate_spki`, ['short']],
  [`${LISTENER}.filter_chains.0.filters.0.name`, ''],
  [`${MANAGER}.stat_prefix`, ''],
  [`${MANAGER}.codec_type`, 99],
  [`${MANAGER}.route_config`, undefined],
  [`${MANAGER}.access_log.0.typed_config.path`, ''],
  [`${MANAGER}.route_config.virtual_hosts.0.name`, ''],
  [`${MANAGER}.route_config.virtual_hosts.0.domains`, []],
  [`${ROUTE}.match`, undefined],
  [`${ROUTE}.match.prefix`, undefined],
  [`${ROUTE}.match.headers.0.name`, ''],
  [`${ROUTE}.route`, undefined],
  [`${ROUTE}.route.cluster`, ''],
  [`${ROUTE}.route.hash_policy.0.header.header_name`, ''],
  [`${ROUTE}.route.retry_policy.retry_back_off.base_interval`, undefined],
  [`${ROUTE}.route.host_rewrite_literal`, 'a\rb'],
  [`${ROUTE}.request_headers_to_add.0.header.key`, ''],
  [`${ROUTE}.request_headers_to_add.0.header.key`, 'a\nb'],
  [`${FILTERS}.0.name`, ''],
  [`${FILTERS}.0.typed_config.abort.http_status`, 199],
  [`${FILTERS}.1.typed_config.max_request_bytes`, 0],
  [`${FILTERS}.2.typed_config.rules.policies.p.permissions`, []],
  [`${FILTERS}.2.typed_config.rules.policies.p.principals.0.any`, false],
  [`${FILTERS}.3.typed_config.stat_prefix`, ''],
  [`${FILTERS}.3.typed_config.token_bucket.fill_interval`, undefined],
]

/** At the limit of a rule: both accept these. */
export const HARMLESS: readonly (readonly [path: string, value: unknown])[] = [
  [`${CLUSTER}.connect_timeout`, '0.000000001s'],
  [`${CLUSTER}.dns_refresh_rate`, '0.001000001s'],
  [`${CLUSTER}.outlier_detection.max_ejection_percent`, 0],
  [`${ENDPOINT}.priority`, 0],
  [`${TLS}.sni`, 'a'.repeat(255)],
  [`${ROUTE}.request_headers_to_add.0.header.key`, 'x-a'],
  [`${ROUTE}.route.host_rewrite_literal`, 'a\tb'],
  [`${FILTERS}.0.typed_config.abort.http_status`, 200],
  [`${FILTERS}.3.typed_config.token_bucket.max_tokens`, 4294967295],
]

/** The sound bootstrap with one thing changed. */
export function changed(path: string, value: unknown): object {
  const bootstrap = soundBootstrap()
  const steps = path.split('.')
  const last = steps.pop() as string
  const owner = steps.reduce<Record<string, unknown>>(
    (at, step) => at[step] as Record<string, unknown>,
    bootstrap as Record<string, unknown>,
  )
  if (value === undefined) delete owner[last]
  else owner[last] = value
  return bootstrap
}
