import { expect, test } from 'vitest'
import { memoryCluster, startMemoryProxy } from '../testing-proxy.js'

/** Its first back-off is a long one. */
const SEED = 2

const retry = (more: object): object => ({
  match: { prefix: '/' },
  route: {
    cluster: 'app',
    timeout: '1s',
    retry_policy: {
      retry_on: '5xx',
      num_retries: 5,
      retry_back_off: { base_interval: '60s', max_interval: '600s' },
      ...more,
    },
  },
})

test('CVE-2024-23322: idle, per-try and whole time-outs around a retry back-off come to one answer, and leave no timer', async () => {
  const routes = [retry({ per_try_timeout: '0.2s', per_try_idle_timeout: '0.2s' })]
  const proxy = await startMemoryProxy({ routes }, [memoryCluster('app', [1])], { 1: () => new Promise(() => {}) }, SEED)
  await proxy.clock.advanceAsync(0)
  const idle = proxy.clock.pending
  let answers = 0
  const answer = proxy.get().then((status) => {
    answers++
    return status
  })
  // Both time-outs of the try fall due at once; what follows is the back-off, and in it the time-out of the whole.
  await proxy.clock.advanceAsync(200)
  expect([proxy.counts.get(1), answers]).toEqual([1, 0])
  await proxy.clock.advanceAsync(800)
  expect(await answer).toBe(504)
  await proxy.clock.advanceAsync(600_000)
  expect([proxy.counts.get(1), answers]).toEqual([1, 1])
  const [whole, pause] = ['envoy_cluster_upstream_rq_per_try_timeout', 'envoy_cluster_upstream_rq_per_try_idle_timeout']
  expect(proxy.stat(whole) + proxy.stat(pause)).toBe(1)
  expect(proxy.stat('envoy_cluster_upstream_rq_timeout')).toBe(1)
  expect(proxy.stat('envoy_cluster_upstream_rq_active')).toBe(0)
  expect(proxy.clock.pending).toBeLessThanOrEqual(idle)
  await proxy.proxy.close()
})
