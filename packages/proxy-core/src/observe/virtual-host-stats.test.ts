import { expect, it } from 'vitest'
import { memoryCluster, startMemoryProxy } from '../testing-proxy.js'

it('retries count under the virtual cluster and the route too, those that the policy or the budget ends apart', async () => {
  const retry_policy = { retry_on: '5xx', num_retries: 2, retry_back_off: { base_interval: '0.001s' } }
  const virtualHost = {
    routes: [{ match: { prefix: '/' }, stat_prefix: 'shop', route: { cluster: 'app', retry_policy } }],
    virtual_clusters: [{ name: 'checkout', headers: [{ name: ':path', string_match: { prefix: '/checkout' } }] }],
  }
  const { proxy, clock, get, stat } = await startMemoryProxy(virtualHost, [memoryCluster('app', [1])], {
    1: ({ path, count }) => (path === '/checkout' || count > 3 ? 503 : 200),
  })
  const settled = async (path: string): Promise<number> => {
    let status: number | undefined
    void get(path).then((one) => (status = one))
    while (status === undefined) {
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advanceAsync(10)
    }
    return status
  }
  expect(await settled('/checkout')).toBe(503)
  // Of no virtual cluster that has a name: the rest counts together.
  expect(await settled('/')).toBe(503)
  const names = ['upstream_rq_retry', 'upstream_rq_retry_limit_exceeded', 'upstream_rq_total']
  expect(names.map((name) => stat(`envoy_vhost_vcluster_${name}`))).toEqual([4, 2, 2])
  expect(names.map((name) => stat(`envoy_vhost_route_${name}`))).toEqual([4, 2, 2])
  const family = [...proxy.stats.families()].find(({ name }) => name === 'envoy_vhost_vcluster_upstream_rq_retry_limit_exceeded')
  const byLabels = [...(family?.series() ?? [])].map(([labels, metric]) => [...labels, (metric as { value: number }).value])
  expect(byLabels.sort()).toEqual([
    ['all', 'checkout', 1],
    ['all', 'other', 1],
  ])
  await proxy.close()
})
