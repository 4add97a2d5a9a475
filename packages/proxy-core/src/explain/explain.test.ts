import type { Result } from '@heddle/runtime'
import { createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { compileCluster } from '../config/cluster.js'
import { compileListener } from '../config/listener.js'
import { compileLoadAssignment } from '../config/load-assignment.js'
import { compileRouteConfiguration } from '../config/route-configuration.js'
import { facts, head, testDeps } from '../testing.js'
import { type ExplainConfig, type ExplainRequest, explain } from './explain.js'
import type { ExplainedStage } from './explanation.js'

const deps = testDeps()
const TYPE = 'type.googleapis.com/envoy.extensions.filters'

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.value
}

const RBAC = {
  name: 'envoy.filters.http.rbac',
  typed_config: {
    '@type': `${TYPE}.http.rbac.v3.RBAC`,
    rules: {
      action: 'DENY',
      policies: {
        'ns[nolen]-policy[admin]-rule[0]': {
          permissions: [{ url_path: { path: { prefix: '/admin' } } }],
          principals: [{ any: true }],
        },
      },
    },
  },
}
const ROUTER = { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPE}.http.router.v3.Router` } }
const MANAGER = {
  '@type': `${TYPE}.network.http_connection_manager.v3.HttpConnectionManager`,
  stat_prefix: 'out',
  rds: { route_config_name: '80' },
  http_filters: [RBAC, ROUTER],
}

const listener = must(
  compileListener(
    {
      name: '0.0.0.0_80',
      address: { socket_address: { address: '0.0.0.0', port_value: 80 } },
      filter_chains: [
        {
          name: 'tls',
          filter_chain_match: { transport_protocol: 'tls' },
          filters: [
            {
              name: 'tcp',
              typed_config: { '@type': `${TYPE}.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 't', cluster: 'gone' },
            },
          ],
        },
        { filters: [{ name: 'http', typed_config: MANAGER }] },
      ],
    },
    deps,
    '',
  ),
)
const routes = must(
  compileRouteConfiguration(
    {
      name: '80',
      virtual_hosts: [
        { name: 'other:80', domains: ['other'], routes: [{ match: { prefix: '/' }, route: { cluster: 'x' } }] },
        {
          name: 'apps:80',
          domains: ['apps', 'apps:80'],
          routes: [
            {
              name: 'nolen',
              match: { prefix: '/', headers: [{ name: 'username', string_match: { exact: 'nolen' } }] },
              route: { cluster: 'outbound|80|v1|apps' },
            },
            { name: 'teapot', match: { prefix: '/tea' }, direct_response: { status: 418 } },
            { name: 'rest', match: { prefix: '/' }, route: { cluster: 'outbound|80|v2|apps' } },
          ],
        },
      ],
    },
    deps,
    '',
  ),
)
const cluster = must(
  compileCluster(
    { name: 'outbound|80|v1|apps', type: 'EDS', eds_cluster_config: { service_name: 'outbound|80|v1|apps' } },
    deps,
    '',
  ),
)
const lbEndpoint = (port_value: number, health_status = 'HEALTHY') => ({
  health_status,
  endpoint: { address: { socket_address: { address: '127.0.0.1', port_value } } },
})
const endpoints = must(
  compileLoadAssignment(
    { endpoints: [{ lb_endpoints: [lbEndpoint(1, 'UNHEALTHY'), lbEndpoint(2)] }] } as Parameters<typeof compileLoadAssignment>[0],
    '',
  ),
)

const config: ExplainConfig = {
  listeners: [listener],
  routes: (name) => (name === '80' ? routes : undefined),
  clusters: (name) => (name === cluster.name ? cluster : undefined),
  endpoints: (name) => (name === cluster.name ? endpoints : undefined),
}

function ask(rest: Partial<ExplainRequest>) {
  return explain(config, { connection: facts(), random: createSeededRandom(1), ...rest })
}

const stage = (stages: readonly ExplainedStage[], name: ExplainedStage['stage']): ExplainedStage =>
  stages.find((each) => each.stage === name)!

describe('explain', () => {
  it('leads from the listener to the endpoint, with every loser and its reason', () => {
    const { stages, result } = ask({ head: head('/', { username: 'nolen' }, { authority: 'apps' }) })
    expect(stages.map((each) => `${each.stage} ${each.name} ${each.outcome}`)).toEqual([
      'listener 0.0.0.0_80 chosen',
      'filter_chain filter_chains[1] chosen',
      'http_manager out chosen',
      'virtual_host apps:80 chosen',
      'route nolen chosen',
      'http_filter envoy.filters.http.rbac pass',
      'cluster outbound|80|v1|apps chosen',
      'endpoint 127.0.0.1:2 chosen',
    ])
    expect(result).toEqual({ kind: 'forward', cluster: 'outbound|80|v1|apps', endpoint: '127.0.0.1:2', tls: false })
    expect(stage(stages, 'filter_chain').losers).toEqual([
      { name: 'tls', reason: 'transport protocol is raw_buffer, wanted tls' },
    ])
    expect(stage(stages, 'virtual_host').losers[0]).toMatchObject({
      name: 'other:80',
      reason: 'none of its domains is apps: other',
    })
    expect(stage(stages, 'route').losers.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      'teapot: nolen comes first',
      'rest: nolen comes first',
    ])
    expect(stage(stages, 'endpoint').losers).toEqual([{ name: '127.0.0.1:1', reason: 'its health is UNHEALTHY' }])
  })

  it('ends where TLS meets a chain that takes HTTP in plaintext', () => {
    const plain = must(
      compileListener(
        {
          name: 'plain',
          address: { socket_address: { address: '0.0.0.0', port_value: 80 } },
          filter_chains: [{ filters: [{ name: 'http', typed_config: MANAGER }] }],
        },
        deps,
        '',
      ),
    )
    const asked = {
      head: head('/', {}, { authority: 'apps' }),
      connection: facts({ transportProtocol: 'tls' }),
      random: createSeededRandom(1),
    }
    const { stages, result, terminatesTls } = explain({ ...config, listeners: [plain] }, { ...asked, listener: 'plain' })
    expect(stage(stages, 'http_manager').outcome).toBe('stop')
    expect([result.kind, terminatesTls]).toEqual(['close', false])
  })

  it('says where each thing was configured', () => {
    const { stages } = ask({ head: head('/', { username: 'nolen2' }, { authority: 'apps' }) })
    expect(stage(stages, 'http_manager').resource).toMatchObject({
      name: '0.0.0.0_80',
      path: 'filter_chains[1].filters[0].typed_config',
    })
    expect(stage(stages, 'route')).toMatchObject({ name: 'rest', resource: { name: '80', path: 'virtual_hosts[1].routes[2]' } })
    expect(stage(stages, 'route').losers[0]).toMatchObject({
      reason: 'header username is "nolen2", wanted exact "nolen"',
      resource: { path: 'virtual_hosts[1].routes[0]' },
    })
  })

  it.each<[string, Partial<ExplainRequest>, object]>([
    [
      'RBAC',
      { head: head('/admin', { username: 'nolen' }, { authority: 'apps' }) },
      { kind: 'reply', status: 403, details: 'rbac_access_denied_matched_policy[ns[nolen]-policy[admin]-rule[0]]' },
    ],
    ['a direct response', { head: head('/tea', {}, { authority: 'apps' }) }, { kind: 'reply', status: 418 }],
    [
      'an unknown host',
      { head: head('/', {}, { authority: 'nobody' }) },
      { kind: 'reply', status: 404, details: 'route_not_found' },
    ],
    [
      'an unknown cluster',
      { head: head('/', {}, { authority: 'apps' }) },
      { kind: 'reply', status: 503, details: 'cluster_not_found' },
    ],
    [
      'TCP to an unknown cluster',
      { connection: facts({ transportProtocol: 'tls' }) },
      { kind: 'reply', details: 'cluster_not_found' },
    ],
    ['no listener', { connection: facts({ destination: { address: '10.0.0.1', port: 81 } }) }, { kind: 'close' }],
  ])('ends at %s', (_name, request, result) => {
    expect(ask(request).result).toMatchObject(result)
  })

  it('decides as resolve does, chance included', () => {
    for (let seed = 0; seed < 50; seed++) {
      const request = head(
        ['/', '/tea', '/admin'][seed % 3]!,
        { username: seed % 2 === 0 ? 'nolen' : 'x' },
        { authority: 'apps' },
      )
      const decision = routes.resolve(request, createSeededRandom(seed))
      const { stages } = explain(config, { head: request, connection: facts(), random: createSeededRandom(seed) })
      expect(stage(stages, 'route').name).toBe(decision.kind === 'none' ? '' : decision.route?.name)
    }
  })
})

it('of weighted clusters the weights are told, of those that were not drawn too', () => {
  const weighted_clusters = {
    clusters: [
      { name: 'gone', weight: 90 },
      { name: 'apps-v2', weight: 10 },
    ],
  }
  const table = must(
    compileRouteConfiguration(
      {
        name: '80',
        virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { weighted_clusters } }] }],
      },
      deps,
      '',
    ),
  )
  const { stages } = explain(
    { ...config, routes: () => table },
    { head: head('/'), connection: facts(), random: { next: () => 0 } },
  )
  expect(stage(stages, 'cluster')).toMatchObject({
    name: 'gone',
    losers: [{ name: 'apps-v2', reason: 'weight 10 of 100, not drawn this time' }],
  })
})

describe('TCP by server name', () => {
  const EXTENSIONS = 'type.googleapis.com/envoy.extensions'
  const dns_cache_config = { name: 'dns' }
  const ask = (serverName?: string) => {
    const filter = (name: string, config: object = {}) => ({
      name,
      typed_config: { '@type': `${TYPE}.network.${name}`, ...config },
    })
    const filters = [
      filter('sni_cluster.v3.SniCluster'),
      filter('sni_dynamic_forward_proxy.v3.FilterConfig', { dns_cache_config, port_value: 8443 }),
      filter('tcp_proxy.v3.TcpProxy', { stat_prefix: 't', cluster: 'rest' }),
    ]
    const address = { socket_address: { address: '0.0.0.0', port_value: 80 } }
    const tcp = must(compileListener({ name: 'tcp', address, filter_chains: [{ filters }] } as never, deps, ''))
    const typed_config = { '@type': `${EXTENSIONS}.clusters.dynamic_forward_proxy.v3.ClusterConfig`, dns_cache_config }
    const dynamic = must(
      compileCluster(
        { name: 'a.example', lb_policy: 'CLUSTER_PROVIDED', cluster_type: { name: 'dfp', typed_config } } as never,
        deps,
        '',
      ),
    )
    const clusters = (name: string) => (name === 'a.example' || name === 'rest' ? { ...dynamic, name } : undefined)
    const connection = facts({ transportProtocol: 'tls', ...(serverName && { serverName }) })
    return explain({ ...config, listeners: [tcp], clusters }, { head: head('/'), connection, random: createSeededRandom(1) })
      .result
  }

  it('goes to the cluster of the name, and to the server of the name', () => {
    expect(ask('a.example')).toEqual({ kind: 'forward', cluster: 'a.example', endpoint: 'a.example:8443', tls: false })
  })

  it('without a name the cluster is the configured one, whose server nobody knows', () => {
    expect(ask()).toMatchObject({ kind: 'reply', details: 'no_healthy_upstream' })
  })

  it('what names no cluster ends there', () => {
    expect(ask('b.example')).toMatchObject({ details: 'cluster_not_found' })
  })
})

it('TCP goes to the subset of its endpoints that metadata_match names, of the cluster or of all', () => {
  const tagged = (port_value: number, labels: object): object => ({
    endpoint: { address: { socket_address: { address: '10.0.0.1', port_value } } },
    metadata: { filter_metadata: { 'envoy.lb': labels } },
  })
  const lb_endpoints = [tagged(1, { v: 'a', zone: 'x' }), tagged(2, { v: 'b', zone: 'x' }), tagged(3, { v: 'b', zone: 'y' })]
  const subsets = { subset_selectors: [{ keys: ['v'] }, { keys: ['v', 'zone'] }], fallback_policy: 'NO_FALLBACK' }
  const json = { name: 'up', load_assignment: { cluster_name: 'up', endpoints: [{ lb_endpoints }] }, lb_subset_config: subsets }
  const up = must(compileCluster(json as never, deps, ''))
  const metadata = (labels: object): object => ({ metadata_match: { filter_metadata: { 'envoy.lb': labels } } })
  const endpointOf = (config: object): unknown => {
    const typed_config = { '@type': `${TYPE}.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 't', ...config }
    const address = { socket_address: { address: '0.0.0.0', port_value: 80 } }
    const chain = { filters: [{ name: 'tcp', typed_config }] }
    const tcp = must(compileListener({ name: 'tcp', address, filter_chains: [chain] } as never, deps, ''))
    const random = createSeededRandom(1)
    const world = { listeners: [tcp], clusters: () => up, endpoints: () => undefined, routes: () => undefined }
    const { result } = explain(world, { head: head('/'), connection: facts(), random })
    return result.kind === 'forward' ? result.endpoint : result.kind
  }
  expect(endpointOf({ cluster: 'up', ...metadata({ v: 'a' }) })).toBe('10.0.0.1:1')
  const weighted_clusters = { clusters: [{ name: 'up', weight: 1, ...metadata({ zone: 'y' }) }] }
  expect(endpointOf({ weighted_clusters, ...metadata({ v: 'b' }) })).toBe('10.0.0.1:3')
  expect(endpointOf({ cluster: 'up', ...metadata({ v: 'c' }) })).toBe('reply')
})

describe('scoped routes', () => {
  const scoped_routes = {
    scope_key_builder: { fragments: [{ header_value_extractor: { name: 'x-tenant', index: 0 } }] },
    scoped_rds: { scoped_rds_config_source: { ads: {} } },
  }
  const { rds, ...rest } = MANAGER
  const filters = [{ name: 'http', typed_config: { ...rest, scoped_routes } }]
  const address = { socket_address: { address: '0.0.0.0', port_value: 80 } }
  const scoped = must(compileListener({ name: 'scoped', address, filter_chains: [{ filters }] } as never, deps, ''))
  const onDemand = must(compileRouteConfiguration({ name: 'hosts', vhds: {} }, { ...deps, vhds: true }, ''))
  const scope = (key: string, name: string) =>
    [JSON.stringify(key), { name: key, key: JSON.stringify(key), onDemand: true, routes: { kind: 'rds', name } }] as const
  const askAs = (tenant: string) =>
    explain(
      {
        ...config,
        listeners: [scoped],
        routes: (name) => ({ '80': routes, hosts: onDemand })[name],
        scopes: new Map([scope('a', '80'), scope('b', 'hosts'), scope('c', 'late')]),
      },
      {
        ...{ connection: facts(), random: createSeededRandom(1) },
        head: head('/tea', { 'x-tenant': tenant }, { authority: 'apps' }),
      },
    )

  it('the scope is a stage of its own, and leads to its routes', () => {
    const { stages, result } = askAs('a')
    expect(stage(stages, 'scope')).toMatchObject({ name: 'a', resource: { name: 'a' } })
    expect(stage(stages, 'route').resource).toMatchObject({ name: '80', path: 'virtual_hosts[1].routes[1]' })
    expect(result).toMatchObject({ status: 418 })
  })

  it.each([
    ['b', 'no virtual host takes apps; on demand VHDS is asked for hosts/apps'],
    ['c', 'the route configuration late is not there yet'],
    ['d', 'no scope has the key "d"'],
  ])('%s: %s', (tenant, reason) => {
    const { stages, result } = askAs(tenant)
    expect(stage(stages, 'virtual_host')).toMatchObject({ outcome: 'stop', reason })
    expect(result).toEqual({ kind: 'reply', status: 404, details: 'route_not_found' })
  })
})
