import { describe, expect, it } from 'vitest'
import { type App, memoryCluster, memoryEndpoints, startMemoryProxy } from '../../testing-proxy.js'

/** Active checks, subsets and aggregates through a whole proxy in memory. */

const ok: App = () => 200
const to = (cluster: string, more: object = {}): object => ({ routes: [{ match: { prefix: '/' }, route: { cluster, ...more } }] })
const times = { timeout: '1s', interval: '5s', no_traffic_interval: '5s', unhealthy_threshold: 1, healthy_threshold: 1 }
const noPanic = { common_lb_config: { healthy_panic_threshold: { value: 0 } } }

describe('a cluster that is checked', () => {
  it.each([
    ['over HTTP', { http_health_check: { path: '/healthz' } }],
    ['over TCP', { tcp_health_check: {} }],
  ])('%s sends nothing to who fails, and sends again once it passes', async (_, checker) => {
    let sick = true
    const apps: Record<number, App> = { 1: ok }
    if ('http_health_check' in checker) apps[2] = ({ path }) => (path === '/healthz' && sick ? 503 : 200)
    const proxy = await startMemoryProxy(
      to('app'),
      [memoryCluster('app', [1, 2], { ...noPanic, health_checks: [{ ...times, ...checker }] })],
      apps,
    )
    await proxy.clock.advanceAsync(10)
    expect(proxy.stat('envoy_cluster_membership_healthy')).toBe(1)
    for (let i = 0; i < 6; i++) expect(await proxy.get()).toBe(200)
    if (apps[2] === undefined) return proxy.proxy.close()
    sick = false
    await proxy.clock.advanceAsync(5_100)
    expect(proxy.stat('envoy_cluster_membership_healthy')).toBe(2)
    expect(proxy.stat('envoy_cluster_health_check_healthy')).toBe(2)
    const before = proxy.counts.get(2) ?? 0
    for (let i = 0; i < 6; i++) expect(await proxy.get()).toBe(200)
    expect(proxy.counts.get(2)).toBe(before + 3)
    await proxy.proxy.close()
  })

  it('has a port of its own for checks, and endpoints that are not checked', async () => {
    const health_checks = [{ ...times, http_health_check: { path: '/healthz' } }]
    const address = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })
    const lb_endpoints = [
      { endpoint: { address: address(1), health_check_config: { port_value: 9 } } },
      { endpoint: { address: address(2), health_check_config: { disable_active_health_check: true } } },
    ]
    const proxy = await startMemoryProxy(
      to('app'),
      [
        memoryCluster('app', [], {
          ...noPanic,
          health_checks,
          load_assignment: { cluster_name: 'app', endpoints: [{ lb_endpoints }] },
        }),
      ],
      { 1: ok, 2: ok, 9: () => 503 },
    )
    await proxy.clock.advanceAsync(10)
    for (let i = 0; i < 4; i++) await proxy.get()
    expect([proxy.counts.get(1), proxy.counts.get(2), proxy.counts.get(9)]).toEqual([undefined, 4, 1])
    await proxy.proxy.close()
  })
})

it('an aggregate goes to its second cluster while nobody of the first is well', async () => {
  let sick = true
  const first = memoryCluster('first', [1], {
    ...noPanic,
    health_checks: [{ ...times, http_health_check: { path: '/healthz' } }],
  })
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig',
    clusters: ['first', 'second'],
  }
  const aggregate = { name: 'both', lb_policy: 'CLUSTER_PROVIDED', cluster_type: { name: 'aggregate', typed_config } }
  const proxy = await startMemoryProxy(to('both'), [aggregate, first, memoryCluster('second', [2])], {
    1: ({ path }) => (path === '/healthz' && sick ? 503 : 200),
    2: ok,
  })
  await proxy.clock.advanceAsync(10)
  for (let i = 0; i < 4; i++) expect(await proxy.get()).toBe(200)
  expect(proxy.counts.get(2)).toBe(4)
  sick = false
  await proxy.clock.advanceAsync(5_100)
  for (let i = 0; i < 4; i++) expect(await proxy.get()).toBe(200)
  expect(proxy.counts.get(2)).toBe(4)
  await proxy.proxy.close()
})

it('priority HIGH has limits of its own', async () => {
  const circuit_breakers = { thresholds: [{ priority: 'HIGH', max_requests: 0 }] }
  const virtualHost = {
    routes: [
      { match: { prefix: '/high' }, route: { cluster: 'app', priority: 'HIGH' } },
      { match: { prefix: '/' }, route: { cluster: 'app' } },
    ],
  }
  const proxy = await startMemoryProxy(virtualHost, [memoryCluster('app', [1], { circuit_breakers })], { 1: ok })
  expect([await proxy.get('/high'), await proxy.get('/')]).toEqual([503, 200])
  await proxy.proxy.close()
})

it('an endpoint that is gone from a STATIC set of two priorities leaves its load to the next', async () => {
  const endpoints = [memoryEndpoints([1]), { ...memoryEndpoints([2]), priority: 1 }]
  const health_checks = [{ ...times, tcp_health_check: {} }]
  const proxy = await startMemoryProxy(
    to('app'),
    [memoryCluster('app', [], { ...noPanic, health_checks, load_assignment: { cluster_name: 'app', endpoints } })],
    { 2: ok },
  )
  await proxy.clock.advanceAsync(10)
  expect(await proxy.get()).toBe(200)
  await proxy.proxy.close()
})
