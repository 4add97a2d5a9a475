import { benchToken } from './token.js'
import { typed } from './typed.js'

// What a sidecar of a real mesh does for each request besides forwarding it. The requests of the load pass all of it.

const filter = (name: string, type: string, config: object = {}): object => ({
  name: `envoy.filters.http.${name}`,
  typed_config: typed(`filters.http.${type}`, config),
})
const share = (numerator: number): object => ({ numerator, denominator: 'HUNDRED' })
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))

/** A token that is wanted, 20 policies, CORS, faults that are off, a rate limit that is never reached. */
export function chainFilters(): readonly object[] {
  const bucket = { max_tokens: 1e8, tokens_per_fill: 1e8, fill_interval: '1s' }
  const always = { default_value: share(100) }
  return [
    jwtFilter(),
    rbacFilter(20),
    filter('cors', 'cors.v3.Cors'),
    filter('fault', 'fault.v3.HTTPFault', { abort: { http_status: 503, percentage: share(0) } }),
    filter('local_ratelimit', 'local_ratelimit.v3.LocalRateLimit', {
      stat_prefix: 'limit',
      token_bucket: bucket,
      filter_enabled: always,
      filter_enforced: always,
    }),
  ]
}

/** Keys at hand; all requests of a load bring one token, which is in the cache after the first. */
export function jwtFilter(): object {
  const { jwks, issuer, audience } = benchToken()
  const provider = {
    issuer,
    audiences: [audience],
    local_jwks: { inline_string: jwks },
    payload_in_metadata: 'payload',
    forward: true,
    jwt_cache_config: { jwt_cache_size: 100 },
  }
  const rules = [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }]
  return filter('jwt_authn', 'jwt_authn.v3.JwtAuthentication', { providers: { bench: provider }, rules })
}

/** So many policies, of which the last one allows. */
export function rbacFilter(count: number): object {
  const policies = Object.fromEntries(times(count - 1, (i) => [`ns[shop]-policy[p${i}]-rule[0]`, teamPolicy(i)]))
  const everyone = { permissions: [{ url_path: { path: { prefix: '/' } } }], principals: [{ any: true }] }
  return filter('rbac', 'rbac.v3.RBAC', { rules: { action: 'ALLOW', policies: { ...policies, 'zz-everyone': everyone } } })
}

/** Paths, methods and callers of other teams. */
function teamPolicy(i: number): object {
  const anyOf = (rules: readonly object[]): object => ({ or_rules: { rules } })
  const method = (exact: string): object => ({ header: { name: ':method', string_match: { exact } } })
  const path = (match: object): object => ({ url_path: { path: match } })
  const where = [
    anyOf([path({ prefix: `/team-${i}/` }), path({ exact: `/health-${i}` })]),
    anyOf([method('GET'), method('POST')]),
  ]
  const who = [
    { direct_remote_ip: { address_prefix: `10.${i >> 8}.${i % 256}.0`, prefix_len: 24 } },
    { header: { name: 'x-team', string_match: { suffix: `-${i}` } } },
  ]
  return { permissions: [{ and_rules: { rules: where } }], principals: [{ and_ids: { ids: [{ or_ids: { ids: who } }] } }] }
}

/** 19 routes that do not match, by path, expression, header and query, and one that does, with timeout and retries. */
export function chainRoutes(): readonly object[] {
  const gone = { direct_response: { status: 404 } }
  const retry_policy = {
    retry_on: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
    num_retries: 2,
    retriable_status_codes: [503],
    host_selection_retry_max_attempts: '5',
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: typed('retry.host.previous_hosts.v3.PreviousHostsPredicate'),
      },
    ],
  }
  return [
    ...times(16, (i) => ({ name: `exact-${i}`, match: { path: `/x${i}` }, ...gone })),
    { name: 'regex', match: { safe_regex: { regex: '/d[0-9]+/.*' } }, ...gone },
    { name: 'header', match: { prefix: '/', headers: [{ name: 'x-user', string_match: { exact: 'jane' } }] }, ...gone },
    { name: 'query', match: { prefix: '/', query_parameters: [{ name: 'v', string_match: { exact: '2' } }] }, ...gone },
    { name: 'default', match: { prefix: '/' }, route: { cluster: 'app', timeout: '15s', retry_policy } },
  ]
}

/** Circuit breakers and outlier detection, armed and far away. */
export function chainCluster(): object {
  const most = { max_connections: 100_000, max_pending_requests: 100_000, max_requests: 100_000, max_retries: 1000 }
  return {
    lb_policy: 'LEAST_REQUEST',
    circuit_breakers: { thresholds: [{ ...most, track_remaining: true }] },
    outlier_detection: { consecutive_5xx: 5, interval: '10s', base_ejection_time: '30s', max_ejection_percent: 100 },
  }
}

export const JSON_LOG = {
  json_format: {
    start_time: '%START_TIME%',
    method: '%REQ(:METHOD)%',
    path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
    protocol: '%PROTOCOL%',
    response_code: '%RESPONSE_CODE%',
    response_flags: '%RESPONSE_FLAGS%',
    response_code_details: '%RESPONSE_CODE_DETAILS%',
    bytes_received: '%BYTES_RECEIVED%',
    bytes_sent: '%BYTES_SENT%',
    duration: '%DURATION%',
    upstream_host: '%UPSTREAM_HOST%',
    upstream_cluster: '%UPSTREAM_CLUSTER%',
    request_id: '%REQ(X-REQUEST-ID)%',
    authority: '%REQ(:AUTHORITY)%',
    user_agent: '%REQ(USER-AGENT)%',
    x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
    route_name: '%ROUTE_NAME%',
  },
} as const
