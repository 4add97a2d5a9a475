import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { describe, expect, it } from 'vitest'
import { parseBootstrap } from '../bootstrap.js'
import { testDeps } from '../testing.js'
import { compileCluster } from './cluster.js'
import { compileListener } from './listener.js'
import { compileLoadAssignment } from './load-assignment.js'
import { compileRouteConfiguration } from './route-configuration.js'

/** Configurations that are whole, and mean nothing: what `envoy --mode validate` 1.40 refuses is refused here. */

const EXTENSIONS = 'type.googleapis.com/envoy.extensions'
const address = (name: string, port_value = 80): object => ({ socket_address: { address: name, port_value } })
const told = ({ diagnostics }: { diagnostics: readonly { path: string; message: string }[] }): string =>
  diagnostics.map(({ path, message }) => `${path} ${message}`).join('\n')

describe('a cluster', () => {
  const endpoints = (...names: string[]): object => ({
    load_assignment: {
      cluster_name: 'c',
      endpoints: [{ lb_endpoints: names.map((name) => ({ endpoint: { address: address(name) } })) }],
    },
  })
  const tls = (config: object): object => ({
    transport_socket: {
      name: 't',
      typed_config: { '@type': `${EXTENSIONS}.transport_sockets.tls.v3.UpstreamTlsContext`, ...config },
    },
  })
  const cluster_type = {
    name: 'envoy.clusters.aggregate',
    typed_config: { '@type': `${EXTENSIONS}.clusters.aggregate.v3.ClusterConfig`, clusters: ['a'] },
  }
  const auto = { '@type': `${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`, auto_config: {} }
  const check = { timeout: '1s', interval: '1s', unhealthy_threshold: 1, healthy_threshold: 1, grpc_health_check: {} }
  const secrets = [{ name: 'a' }, { name: 'b' }]
  const policy = { '@type': `${EXTENSIONS}.load_balancing_policies.cluster_provided.v3.ClusterProvided` }
  const provided = { policies: [{ typed_extension_config: { name: 'p', typed_config: policy } }] }

  it.each<[string, object, string]>([
    ['a name where nobody looks names up', { type: 'STATIC', ...endpoints('localhost') }, 'address "localhost" is no IP address'],
    ['EDS from nowhere', { type: 'EDS' }, 'eds_cluster_config is required'],
    ['two logical names', { type: 'LOGICAL_DNS', ...endpoints('a', 'b') }, 'load_assignment LOGICAL_DNS wants one'],
    ['no logical name', { type: 'LOGICAL_DNS' }, 'load_assignment LOGICAL_DNS wants one'],
    ['a choice of one', { type: 'ORIGINAL_DST' }, 'lb_policy must be CLUSTER_PROVIDED for ORIGINAL_DST'],
    ['a choice of others', { cluster_type }, 'lb_policy must be CLUSTER_PROVIDED for AGGREGATE'],
    ['no choice', { lb_policy: 'CLUSTER_PROVIDED' }, 'lb_policy CLUSTER_PROVIDED is not for STATIC'],
    ['no choice, by its type', { load_balancing_policy: provided }, 'load_balancing_policy ClusterProvided is not for STATIC'],
    [
      'a choice of one, by its type',
      { type: 'ORIGINAL_DST', load_balancing_policy: provided },
      'lb_policy must be CLUSTER_PROVIDED for ORIGINAL_DST',
    ],
    [
      'endpoints that are not asked for',
      { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', ...endpoints('127.0.0.1') },
      'load_assignment ORIGINAL_DST has no endpoints',
    ],
    [
      'subsets of one',
      { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', lb_subset_config: { subset_selectors: [{ keys: ['a'] }] } },
      'lb_subset_config excludes CLUSTER_PROVIDED',
    ],
    ['gRPC over HTTP/1', { health_checks: [check] }, 'health_checks grpc_health_check wants a cluster of HTTP/2'],
    [
      'a log of its health that cannot be written to',
      { health_checks: [{ ...check, grpc_health_check: undefined, tcp_health_check: {}, event_log_path: '/no/such/file' }] },
      'health_checks[0].event_log_path The file "/no/such/file" cannot be written to: ENOENT',
    ],
    ['ALPN without TLS', { typed_extension_protocol_options: { o: auto } }, 'auto_config wants a transport socket'],
    [
      'a longest ejection below the shortest',
      { outlier_detection: { base_ejection_time: '100s', max_ejection_time: '10s' } },
      'max_ejection_time cannot be below',
    ],
    ['time that runs backwards', { connect_timeout: '-1s' }, 'connect_timeout must be a duration'],
    ['a NUL in a name', tls({ sni: 'a\0b' }), 'sni holds a NUL'],
    ['a long protocol', tls({ common_tls_context: { alpn_protocols: ['x'.repeat(256)] } }), 'alpn_protocols each must have'],
    [
      'two certificates',
      tls({ common_tls_context: { tls_certificate_sds_secret_configs: secrets } }),
      'a client has one certificate',
    ],
  ])('of %s', (_, cluster, problem) => {
    const sink = (): never => {
      throw new Error('ENOENT')
    }
    const compiled = compileCluster({ name: 'c', ...cluster } as Cluster, testDeps({ sink }), '')
    expect(compiled.ok).toBe(false)
    expect(told(compiled)).toContain(problem)
  })

  it('leaves the choice to clusters that choose, by a type as well', () => {
    expect(told(compileCluster({ name: 'c', cluster_type, load_balancing_policy: provided } as Cluster, testDeps(), ''))).toBe('')
  })

  it('gets no names by EDS', () => {
    const assignment = { cluster_name: 'c', endpoints: [{ lb_endpoints: [{ endpoint: { address: address('localhost') } }] }] }
    expect(told(compileLoadAssignment(assignment, ''))).toContain('address "localhost" is no IP address')
  })

  it('has a name of its own', () => {
    const parsed = parseBootstrap({ static_resources: { clusters: [{ name: 'a' }, { name: 'a' }] } })
    expect(told(parsed)).toContain('static_resources.clusters[1].name Another cluster has the name "a"')
  })
})

describe('a listener', () => {
  const filters = `${EXTENSIONS}.filters`
  const tcp = (config: object = {}): object => ({
    filters: [
      {
        name: 't',
        typed_config: { '@type': `${filters}.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 't', cluster: 'c', ...config },
      },
    ],
  })
  const router = { name: 'r', typed_config: { '@type': `${filters}.http.router.v3.Router` } }
  const manager = (config: object): object => {
    const type = `${filters}.network.http_connection_manager.v3.HttpConnectionManager`
    return { name: 'h', typed_config: { '@type': type, stat_prefix: 'h', route_config: {}, ...config } }
  }
  const http = (config: object, before: readonly object[] = []): object => ({
    filter_chains: [{ filters: [manager({ http_filters: [...before, router], ...config })] }],
  })
  const hosts = (host: object): object => http({ route_config: { virtual_hosts: [{ name: 'v', domains: ['*'], ...host }] } })
  const filter = (name: string, config: object): object => ({
    name,
    typed_config: { '@type': `${filters}.http.${name}`, ...config },
  })
  const route = (action: object): object => hosts({ routes: [{ match: { prefix: '/' }, route: action }] })
  const weighted = (...clusters: object[]): object => route({ weighted_clusters: { clusters } })
  const twice = [{ upgrade_type: 'websocket' }, { upgrade_type: 'WebSocket' }]
  const port = { destination_port_range: { start: 5, end: 5 } }
  const rules = { action: 'ALLOW', policies: { p: { permissions: [port], principals: [{ any: true }] } } }
  const jwks = (text: string): object =>
    filter('jwt_authn.v3.JwtAuthentication', { providers: { p: { local_jwks: { inline_string: text } } } })
  const token_bucket = { max_tokens: 1, fill_interval: '1s' }
  const limit = { entries: [{ key: 'a', value: 'b' }], token_bucket }
  const off = manager({ http_filters: [{ ...router, disabled: true }] })
  const both = { header: { key: 'a', value: 'b' }, append: true, append_action: 'ADD_IF_ABSENT' }
  const wrapper = { '@type': 'type.googleapis.com/envoy.config.route.v3.FilterConfig' }
  const plain = { match: { prefix: '/' }, route: { cluster: 'c' } }
  const anyCase = { safe_regex: { regex: 'a' }, ignore_case: true }
  const input = {
    name: 'i',
    typed_config: { '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput', header_name: 'a' },
  }
  const typed_config = { '@type': 'type.googleapis.com/envoy.config.route.v3.Route', ...plain }
  const tree = { matcher_tree: { input, exact_match_map: { map: { a: { action: { name: 'r', typed_config } } } } } }
  const ofHeader = { permissions: [{ not_rule: { header: { name: 'a', present_match: true } } }], principals: [{ any: true }] }
  const guard = {
    name: 'g',
    typed_config: { '@type': `${filters}.network.rbac.v3.RBAC`, stat_prefix: 'g', rules: { policies: { header: ofHeader } } },
  }
  const only = (tcp() as { filters: object[] }).filters
  const xff = { name: 'x', typed_config: { '@type': `${EXTENSIONS}.http.original_ip_detection.xff.v3.XffConfig` } }

  it.each<[string, object, string]>([
    ['nothing', { filter_chains: [] }, 'filter_chains is required'],
    ['a name', { address: address('localhost'), filter_chains: [tcp()] }, 'address "localhost" is no IP address'],
    [
      'any server name',
      { filter_chains: [{ filter_chain_match: { server_names: ['*'] }, ...tcp() }] },
      'server_names "*": a wildcard',
    ],
    ['time that runs backwards', { filter_chains: [tcp({ idle_timeout: '-1s' })] }, 'idle_timeout must be a duration'],
    [
      'too much weight',
      weighted({ name: 'a', weight: 2 ** 32 - 1 }, { name: 'b', weight: 1 }),
      'clusters weigh 4294967296 together',
    ],
    ['weight for nobody', weighted({ weight: 1 }), 'clusters[0] needs one of name, cluster_header'],
    ['weight for two', weighted({ name: 'a', cluster_header: 'b', weight: 1 }), 'clusters[0] needs one of name, cluster_header'],
    ['an upgrade twice in a route', route({ cluster: 'c', upgrade_configs: twice }), 'upgrade_type websocket is there twice'],
    ['an upgrade twice', http({ upgrade_configs: twice }), 'upgrade_type websocket is there twice'],
    [
      'what is of CONNECT',
      route({ cluster: 'c', upgrade_configs: [{ upgrade_type: 'websocket', connect_config: {} }] }),
      'connect_config is for CONNECT only',
    ],
    [
      'two ways to a client',
      http({ xff_num_trusted_hops: 1, original_ip_detection_extensions: [xff] }),
      'excludes xff_num_trusted_hops',
    ],
    ['ways to strip a port', http({ strip_matching_host_port: true, strip_any_host_port: true }), 'strip_any_host_port excludes'],
    ['a router that is off', { filter_chains: [{ filters: [off] }] }, 'disabled the router cannot be switched off'],
    ['a header twice', hosts({ request_headers_to_add: [both] }), 'append_action excludes append'],
    ['nothing for a filter', hosts({ typed_per_filter_config: { x: wrapper } }), 'typed_per_filter_config x says neither'],
    ['a tree and a list', hosts({ matcher: tree, routes: [plain] }), 'matcher excludes routes'],
    [
      'a regex without case',
      hosts({ routes: [{ ...plain, match: { prefix: '/', headers: [{ name: 'a', string_match: anyCase }] } }] }),
      'ignore_case means nothing to safe_regex',
    ],
    ['rules of requests for connections', { filter_chains: [{ filters: [guard, ...only] }] }, 'rules header is of requests'],
    [
      'ports from and to the same',
      http({}, [filter('rbac.v3.RBAC', { rules })]),
      'destination_port_range.start 5 is not before 5',
    ],
    ['keys that are none', http({}, [jwks('{')]), 'local_jwks is no JWKS'],
    ['no key', http({}, [jwks('{"keys":[{"kty":"RSA"}]}')]), 'local_jwks has no key'],
    [
      'a limit twice',
      http({}, [filter('local_ratelimit.v3.LocalRateLimit', { stat_prefix: 'l', token_bucket, descriptors: [limit, limit] })]),
      'descriptors[1].entries an earlier one has the same entries',
    ],
  ])('of %s', (_, listener, problem) => {
    const compiled = compileListener({ name: 'l', address: address('0.0.0.0'), ...listener } as Listener, testDeps(), '')
    expect(compiled.ok).toBe(false)
    expect(told(compiled)).toContain(problem)
  })
})

describe('a cluster that routes name, and that is not there', () => {
  const deps = testDeps({ hasCluster: (name) => name === 'known' })
  const to = (route: object, more: object = {}): object => ({
    name: 'r',
    virtual_hosts: [{ name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route }] }],
    ...more,
  })
  const listener = (manager: object): Listener => {
    const typed_config = {
      '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'h',
      http_filters: [{ name: 'r', typed_config: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router` } }],
      ...manager,
    }
    return { name: 'l', address: address('127.0.0.1'), filter_chains: [{ filters: [{ name: 'h', typed_config }] }] }
  }
  const mirrored = { request_mirror_policies: [{ cluster: 'gone' }] }
  const scoped_routes = {
    name: 's',
    scope_key_builder: { fragments: [{ header_value_extractor: { name: 'x', index: 0 } }] },
    scoped_route_configurations_list: {
      scoped_route_configurations: [
        { name: 's', key: { fragments: [{ string_key: 'a' }] }, route_configuration: to({ cluster: 'gone' }) },
      ],
    },
  }
  const zipkin = {
    '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
    collector_cluster: 'gone',
    collector_endpoint: '/api/v2/spans',
    collector_endpoint_version: 'HTTP_JSON',
  }

  it.each<[string, object, string]>([
    ['inline', { route_config: to({ cluster: 'gone' }) }, 'routes[0].route.cluster names a cluster that is not there: "gone"'],
    [
      'by weight',
      {
        route_config: to({
          weighted_clusters: {
            clusters: [
              { name: 'known', weight: 1 },
              { name: 'gone', weight: 0 },
            ],
          },
        }),
      },
      'weighted_clusters.clusters[1].name names a cluster',
    ],
    [
      'of a mirror',
      { route_config: to({ cluster: 'known', ...mirrored }) },
      'request_mirror_policies[0].cluster names a cluster',
    ],
    [
      'of a mirror above',
      { route_config: to({ cluster: 'known' }, mirrored) },
      'request_mirror_policies[0].cluster names a cluster',
    ],
    ['of a scope', { scoped_routes }, 'routes[0].route.cluster names a cluster'],
    [
      'of Zipkin',
      { route_config: to({ cluster: 'known' }), tracing: { provider: { name: 'z', typed_config: zipkin } } },
      'tracing.provider names a cluster that is not there: "gone"',
    ],
  ])('%s: is refused', (_, manager, problem) => {
    expect(told(compileListener(listener(manager), deps, ''))).toContain(problem)
  })

  it.each<[string, object]>([
    ['that is known', { route_config: to({ cluster: 'known' }) }],
    ['that a header names', { route_config: to({ cluster_header: 'gone' }) }],
    ['that nobody asks about', { route_config: to({ cluster: 'gone' }, { validate_clusters: false }) }],
  ])('%s: is taken', (_, manager) => {
    expect(told(compileListener(listener(manager), deps, ''))).toBe('')
  })

  it('is found out by requests where RDS does not ask', () => {
    expect(told(compileRouteConfiguration(to({ cluster: 'gone' }), deps, ''))).toBe('')
    expect(told(compileRouteConfiguration(to({ cluster: 'gone' }, { validate_clusters: true }), deps, ''))).toContain(
      'is not there',
    )
    expect(told(compileRouteConfiguration(to({ cluster: 'gone' }, { validate_clusters: true }), testDeps(), ''))).toBe('')
  })
})
