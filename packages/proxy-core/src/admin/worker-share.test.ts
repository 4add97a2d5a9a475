import { createMetricsRegistry, type MetricsRegistry, renderPrometheus } from '@heddle/runtime'
import { expect, test } from 'vitest'
import type { AdminViews } from './page.js'
import { shareOf, viewsWithShares } from './worker-share.js'

function registryWith(requests: number, active: number, times: readonly number[]): MetricsRegistry {
  const registry = createMetricsRegistry()
  registry.counter('envoy_http_downstream_rq_total', 'requests', ['prefix']).labels('in').inc(requests)
  registry.gauge('envoy_http_downstream_rq_active', 'requests', ['prefix']).labels('in').set(active)
  registry.gauge('envoy_cluster_membership_total', 'hosts', ['cluster']).labels('up').set(3)
  for (const time of times) registry.histogram('envoy_time', 'times', [], [1, 10]).labels().observe(time)
  return registry
}

const views = (stats: MetricsRegistry, state: AdminViews['state'] = 'LIVE', total = 0): AdminViews => {
  const endpoint = { address: { address: '10.0.0.1', port: 80 } }
  const clusters = [{ cluster: { name: 'up' }, hosts: [{ endpoint, stats: { rq_total: total } }] }]
  return { state, stats, clusters } as unknown as AdminViews
}

test('counters, histograms and what is under way are added; what all tell alike is told once', () => {
  const other = shareOf(views(registryWith(5, 1, [20, 0.5])))
  const merged = viewsWithShares(views(registryWith(7, 2, [3])), [structuredClone(other)])
  const text = renderPrometheus(merged.stats)
  expect(text).toContain('envoy_http_downstream_rq_total{prefix="in"} 12')
  expect(text).toContain('envoy_http_downstream_rq_active{prefix="in"} 3')
  expect(text).toContain('envoy_cluster_membership_total{cluster="up"} 3')
  expect(text).toMatch(/envoy_time_bucket\{le="1"\} 1\n/)
  expect(text).toMatch(/envoy_time_bucket\{le="10"\} 2\n/)
  expect(text).toContain('envoy_time_count 3')
})

test('what only another worker has counted is there, too', () => {
  const registry = createMetricsRegistry()
  registry.counter('envoy_late', 'late', ['code']).labels('503').inc(2)
  const merged = viewsWithShares(views(registryWith(1, 0, [])), [shareOf(views(registry))])
  expect(renderPrometheus(merged.stats)).toContain('envoy_late{code="503"} 2')
})

test('sets of labels of one name stay apart', () => {
  const counted = (labels: readonly string[], values: readonly string[]): MetricsRegistry => {
    const registry = createMetricsRegistry()
    registry
      .counter('istio_requests_total', 'requests', labels, 10)
      .labels(...values)
      .inc()
    return registry
  }
  const others = [counted(['code', 'who'], ['200', 'me']), counted(['code'], ['200'])].map((stats) => shareOf(views(stats)))
  const merged = viewsWithShares(views(counted(['code'], ['200'])), others)
  expect(renderPrometheus(merged.stats).split('\n').slice(2, 4)).toEqual([
    'istio_requests_total{code="200"} 2',
    'istio_requests_total{code="200",who="me"} 1',
  ])
})

test('they are LIVE when all are, and counters of endpoints are added', () => {
  const own = views(createMetricsRegistry(), 'LIVE', 4)
  expect(viewsWithShares(own, [shareOf(own)]).state).toBe('LIVE')
  const merged = viewsWithShares(own, [shareOf(views(createMetricsRegistry(), 'INITIALIZING', 6))])
  expect(merged.state).toBe('INITIALIZING')
  expect(merged.clusters[0]?.hosts[0]?.stats).toEqual({ rq_total: 10 })
})
