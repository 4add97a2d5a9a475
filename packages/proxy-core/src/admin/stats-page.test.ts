import { createMetricsRegistry } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { createClusterStats, createHttpStats } from '../observe/stats.js'
import type { AdminActions, AdminViews } from './page.js'
import { answerAdmin } from './server.js'

function setUp() {
  const stats = createMetricsRegistry()
  const cluster = createClusterStats(stats, 'web')
  const views = { stats, state: 'LIVE', version: 'heddle 1', node: { id: 'edge <1>' } } as unknown as AdminViews
  const actions: AdminActions = { drainListeners() {}, quit() {}, setHealthy() {} }
  const get = (url: string, method = 'GET') => answerAdmin(method, url, views, actions)
  return { stats, cluster, get }
}

it('stats are chosen by name, kind and use', () => {
  const { cluster, get } = setUp()
  cluster.upstreamRqTotal.inc(3)
  cluster.membershipHealthy.set(2)
  expect(get('/stats?filter=^cluster\\.web\\.upstream_rq_total$').body).toBe('cluster.web.upstream_rq_total: 3\n')
  expect(get('/stats?type=Gauges&usedonly').body).toBe('cluster.web.membership_healthy: 2\n')
  expect(get('/stats?type=Sizes')).toMatchObject({ status: 400, body: 'invalid &type= param' })
  expect(get('/stats?type=TextReadouts')).toMatchObject({ status: 200, body: '' })
  for (const [query, choices] of [
    ['format=foo', 'format=(html|active-html|json|prometheus|text)\n'],
    ['histogram_buckets=foo', 'histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)'],
    ['hidden=foo', 'hidden=(include|only|exclude)\n'],
  ])
    expect(get(`/stats?${query}`)).toMatchObject({ status: 400, body: `usage: /stats?${choices}\n` })
  expect(get('/stats?hidden=only').body).toBe('')
  expect(get('/stats?filter=(').status).toBe(400)
})

it('scrapes can be chosen likewise', () => {
  const { cluster, get } = setUp()
  cluster.upstreamRqTotal.inc()
  const lines = get('/stats/prometheus?usedonly&filter=upstream_rq_total').body.split('\n')
  expect(lines.slice(1)).toEqual([
    '# TYPE envoy_cluster_upstream_rq_total counter',
    'envoy_cluster_upstream_rq_total{envoy_cluster_name="web"} 1',
    '',
  ])
})

it('a class of a cluster is there once it came, with where its request came from; of a manager always', () => {
  const { stats, cluster, get } = setUp()
  cluster.completed(404, 'external')
  createHttpStats(stats, 'in', '10.0.0.1_80').completed(200)
  const names = get('/stats?filter=rq_[0-9]')
    .body.split('\n')
    .map((line) => line.replace(/:.*/, ''))
  expect(names).toEqual(
    [
      ...['upstream_rq_404', 'upstream_rq_4xx', 'external.upstream_rq_404', 'external.upstream_rq_4xx'].map(
        (name) => `cluster.web.${name}`,
      ),
      ...[1, 2, 3, 4, 5].flatMap((n) => [`http.in.downstream_rq_${n}xx`, `listener.10.0.0.1_80.http.in.downstream_rq_${n}xx`]),
      '',
    ].sort((a, b) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1)),
  )
})

it('counters go back to 0, by POST; gauges stay', () => {
  const { cluster, get } = setUp()
  cluster.upstreamRqTotal.inc(3)
  cluster.membershipTotal.set(2)
  expect(get('/reset_counters').status).toBe(405)
  expect(get('/reset_counters', 'POST')).toMatchObject({ status: 200, body: 'OK\n' })
  expect([cluster.upstreamRqTotal.value, cluster.membershipTotal.value]).toEqual([0, 2])
})

it('the home page is for browsers', () => {
  const page = setUp().get('/')
  expect(page.contentType).toBe('text/html; charset=UTF-8')
  expect(page.body).toContain('<a href="/stats">/stats</a>')
  expect(page.body).toContain('<form method="post" action="/quitquitquit">')
  expect(page.body).toContain('edge &lt;1&gt;')
})

it('logging tells the level, where there is one', () => {
  expect(setUp().get('/logging', 'POST').body).toBe('active loggers:\n  heddle: as its program says\n')
})
