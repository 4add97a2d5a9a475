import { createMetricsRegistry } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import type { ListenerView } from '../state/listener-manager.js'
import type { AdminActions, AdminViews, ClusterView } from './page.js'
import { answerAdmin } from './server.js'

function setUp(views: Partial<AdminViews> = {}) {
  const drained: object[] = []
  const actions: AdminActions = { drainListeners: (options) => drained.push(options), quit() {}, setHealthy() {} }
  const all = { stats: createMetricsRegistry(), state: 'LIVE', lookups: { tracked: false }, ...views } as unknown as AdminViews
  const ask = (method: string, url: string) => answerAdmin(method, url, all, actions)
  return { ask, drained }
}

describe('what Envoy has of its own process answers as an Envoy without it', () => {
  it.each([
    [
      'GET',
      '/contention',
      200,
      'Mutex contention tracing is not enabled. To enable, run Envoy with flag --enable-mutex-tracing.',
    ],
    ['POST', '/cpuprofiler', 400, '?enable=<y|n>\n'],
    ['POST', '/cpuprofiler?enable=y', 500, 'failure to start the profiler'],
    ['POST', '/cpuprofiler?enable=n', 200, 'OK\n'],
    ['POST', '/heapprofiler?enable=y', 501, 'The current build does not support heap profiler'],
    ['GET', '/heapprofiler', 405, 'Method GET not allowed, POST required.'],
    ['POST', '/allocprofiler?enable=y', 501, 'The current build does not support allocation profiler'],
    ['GET', '/heap_dump', 501, 'The current build does not support heap dump'],
    ['GET', '/peak_heap_dump', 501, 'The current build does not support peak heap dump'],
    ['POST', '/reopen_logs', 200, 'OK\n'],
    ['GET', '/stats?format=html', 400, 'HTML output was disabled by building with --define=admin_html=disabled'],
  ])('%s %s', (method, url, status, body) => {
    expect(setUp().ask(method, url)).toMatchObject({ status, body })
  })

  it('lookups of statistics', () => {
    const { ask } = setUp()
    const off = 'Lookup tracking is not enabled. Use /stats/recentlookups/enable to enable.\n\ntotal: 0\n'
    expect(ask('GET', '/stats/recentlookups').body).toBe(off)
    expect(ask('GET', '/stats/recentlookups/enable').status).toBe(405)
    for (const does of ['enable', 'clear']) expect(ask('POST', `/stats/recentlookups/${does}`).body).toBe('OK\n')
    expect(ask('GET', '/stats/recentlookups').body).toBe('   Count Lookup\n\ntotal: 0\n')
    ask('POST', '/stats/recentlookups/disable')
    expect(ask('GET', '/stats/recentlookups').body).toBe(off)
  })
})

it('what only tells answers any method, and slashes are merged', () => {
  const { ask } = setUp()
  for (const [method, url] of [
    ['POST', '/ready'],
    ['OPTIONS', '/ready?x=y'],
    ['GET', '//ready'],
  ] as const)
    expect(ask(method, url)).toMatchObject({ status: 200, body: 'LIVE\n' })
})

it('/drain_listeners says which, and how', () => {
  const { ask, drained } = setUp()
  ask('POST', '/drain_listeners')
  ask('POST', '/drain_listeners?inboundonly&graceful&skip_exit')
  expect(drained).toEqual([
    { inboundOnly: false, graceful: false, skipExit: false },
    { inboundOnly: true, graceful: true, skipExit: true },
  ])
})

it('/init_dump tells what warming resources wait for', () => {
  const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
  const ENDPOINTS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
  const record = (typeUrl: string, name: string, state: 'active' | 'warming', message: object) =>
    ({ typeUrl, name, state, message, version: '1', updatedAt: 0 }) as const
  const records = new Map([
    [CLUSTER, [record(CLUSTER, 'late', 'warming', { name: 'late', type: 'EDS' }), record(CLUSTER, 'b', 'active', { name: 'b' })]],
    [ENDPOINTS, [record(ENDPOINTS, 'b', 'active', {})]],
  ])
  const { ask } = setUp({ records: () => records })
  expect(JSON.parse(ask('GET', '/init_dump').body)).toEqual({
    unready_targets_dumps: [
      { name: 'init manager Cluster-local-init-manager late', target_names: ['target ClusterLoadAssignment late'] },
    ],
  })
  expect(JSON.parse(ask('GET', '/init_dump?mask=listener').body)).toEqual({})
})

const host = (address: string, zone: string): ClusterView['hosts'][number] => ({
  endpoint: {
    address: { address, port: 80 },
    locality: { region: '', zone, subZone: '' },
    health: 'UNKNOWN',
    weight: 2,
    priority: 0,
  } as ClusterView['hosts'][number]['endpoint'],
  ejected: address.endsWith('3'),
  active: undefined,
  stats: {},
})
const cluster = (name: string, kind: 'STATIC' | 'EDS', hosts: ClusterView['hosts'] = []): ClusterView => {
  const limits = { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1, maxRetries: 1 }
  const discovery = { kind, serviceName: name }
  return { cluster: { name, discovery, circuitBreakers: limits, highCircuitBreakers: limits }, hosts } as unknown as ClusterView
}

describe('/config_dump', () => {
  const listeners: readonly ListenerView[] = []
  const { ask } = setUp({
    ...{ listeners, records: () => new Map(), secrets: [], startedAt: 0, node: {} },
    bootstrap: { node: { id: 'a', cluster: 'c' } },
    clusters: [cluster('static', 'STATIC', [host('10.0.0.1', 'a'), host('10.0.0.3', 'b')]), cluster('eds', 'EDS')],
  })
  const configs = (query: string) => JSON.parse(ask('GET', `/config_dump?${query}`).body).configs

  it('is cut to a mask', () => {
    expect(configs('mask=bootstrap.node.id')).toEqual([
      { '@type': 'type.googleapis.com/envoy.admin.v3.BootstrapConfigDump', bootstrap: { node: { id: 'a' } } },
    ])
    expect(ask('GET', '/config_dump?mask=foo')).toMatchObject({
      status: 400,
      body: 'FieldMask foo could not be successfully applied to any configs.',
    })
    expect(ask('GET', '/config_dump?resource=bootstrap')).toMatchObject({
      status: 400,
      body: 'bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field',
    })
    expect(ask('GET', '/config_dump?resource=static_endpoint_configs&mask=foo').status).toBe(400)
    expect(ask('GET', '/config_dump?resource=static_clusters').body).toBe('{}\n')
  })

  it('has the endpoints of clusters that EDS knows nothing of', () => {
    const [{ endpoint_config: assignment }, ...others] = configs('include_eds&resource=static_endpoint_configs')
    expect(others).toEqual([])
    expect(assignment).toMatchObject({
      cluster_name: 'static',
      endpoints: [
        { locality: { zone: 'a' }, lb_endpoints: [{ health_status: 'HEALTHY', load_balancing_weight: 2 }] },
        { locality: { zone: 'b' }, lb_endpoints: [{ health_status: 'UNHEALTHY' }] },
      ],
    })
    expect(configs('resource=static_endpoint_configs&mask=endpoint_config.cluster_name')[0].endpoint_config).toMatchObject({
      cluster_name: 'static',
    })
  })
})

it('/clusters tell where they come from, and of outlier detection where there is one', () => {
  const one = cluster('one', 'STATIC')
  const detecting = { ...one, cluster: { ...one.cluster, outlier: {} } } as ClusterView
  const bootstrap = { static_resources: { clusters: [{ name: 'one' }] } }
  const { ask } = setUp({ bootstrap, clusters: [detecting, cluster('two', 'STATIC')] })
  const lines = ask('GET', '/clusters').body?.split('\n') ?? []
  expect(lines.filter((line) => /added_via_api|outlier/.test(line))).toEqual([
    'one::added_via_api::false',
    'two::added_via_api::true',
  ])
  const [fixed, added] = JSON.parse(ask('GET', '/clusters?format=json').body).cluster_statuses
  expect([fixed.added_via_api, added.added_via_api]).toEqual([undefined, true])
})

it('/clusters are chosen by name', () => {
  const { ask } = setUp({ bootstrap: {}, clusters: [cluster('one', 'STATIC'), cluster('two', 'STATIC')] })
  expect(ask('GET', '/clusters?filter=w').body).toMatch(/^two::observability_name::two\n/)
  expect(JSON.parse(ask('GET', '/clusters?format=json&filter=^one$').body).cluster_statuses).toMatchObject([{ name: 'one' }])
  expect(ask('GET', '/clusters?filter=(')).toMatchObject({ status: 400, body: 'Invalid re2 regex' })
})
