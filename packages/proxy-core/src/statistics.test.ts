import { describe, expect, it } from 'vitest'
import { type App, type MemoryProxy, memoryCluster, memoryEndpoints, startMemoryProxy } from './testing-proxy.js'

/** What is chosen, retried, ejected and let back in, counted through a whole proxy in memory. */

const ok: App = () => 200
const to = (route: object): object => ({ routes: [{ match: { prefix: '/' }, route }] })
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Runs timers until every answer has come. */
async function settle<T>({ clock }: MemoryProxy, answers: readonly Promise<T>[]): Promise<T[]> {
  let open = true
  const all = Promise.all(answers).finally(() => {
    open = false
  })
  for (let i = 0; open && i < 200; i++) {
    await turn()
    await clock.advanceAsync(10)
  }
  return all
}

describe('weights', () => {
  it('90/10 stays within 1 % over 10,000 requests', async () => {
    const clusters = [
      { name: 'v1', weight: 90 },
      { name: 'v2', weight: 10 },
    ]
    const proxy = await startMemoryProxy(
      to({ weighted_clusters: { clusters } }),
      [memoryCluster('v1', [1]), memoryCluster('v2', [2])],
      { 1: ok, 2: ok },
    )
    for (let i = 0; i < 10_000; i++) await proxy.get()
    expect(Math.abs(proxy.counts.get(1)! - 9_000)).toBeLessThanOrEqual(100)
    expect(proxy.counts.get(1)! + proxy.counts.get(2)!).toBe(10_000)
    await proxy.proxy.close()
  })
})

describe('least request', () => {
  it('sends a host that is slow to answer next to nothing', async () => {
    const release: (() => void)[] = []
    const slow: App = () => new Promise((resolve) => release.push(() => resolve(200)))
    const proxy = await startMemoryProxy(
      to({ cluster: 'app' }),
      [memoryCluster('app', [1, 2, 3], { lb_policy: 'LEAST_REQUEST' })],
      { 1: slow, 2: ok, 3: ok },
    )
    const answers: Promise<number>[] = []
    for (let i = 0; i < 600; i++) {
      answers.push(proxy.get())
      await turn()
      await turn()
    }
    // A third each would be 200. Drawn twice is what brings it there again: one in nine, at most.
    expect(proxy.counts.get(1)!).toBeLessThan(90)
    expect(proxy.counts.get(2)!).toBeGreaterThan(200)
    while (release.length > 0) {
      for (const one of release.splice(0)) one()
      await turn()
    }
    expect(new Set(await settle(proxy, answers))).toEqual(new Set([200]))
    await proxy.proxy.close()
  })
})

describe('outlier detection on the fake clock', () => {
  it('ejects after the third 5xx, for base_ejection_time, and lets the host back in', async () => {
    let sick = true
    const outlier_detection = { consecutive_5xx: 3, interval: '1s', base_ejection_time: '10s', max_ejection_percent: 100 }
    const proxy = await startMemoryProxy(to({ cluster: 'app' }), [memoryCluster('app', [1, 2], { outlier_detection })], {
      1: () => (sick ? 500 : 200),
      2: ok,
    })
    const statuses = async (count: number): Promise<number[]> => {
      const out: number[] = []
      for (let i = 0; i < count; i++) out.push(await proxy.get())
      return out
    }
    expect((await statuses(6)).filter((status) => status === 500)).toHaveLength(3)
    expect(proxy.stat('envoy_cluster_outlier_detection_ejections_active')).toBe(1)
    expect(new Set(await statuses(20))).toEqual(new Set([200]))
    expect(proxy.counts.get(1)).toBe(3)
    sick = false
    await proxy.clock.advanceAsync(9_999)
    await statuses(4)
    expect(proxy.counts.get(1)).toBe(3)
    await proxy.clock.advanceAsync(1_002)
    expect(proxy.stat('envoy_cluster_outlier_detection_ejections_active')).toBe(0)
    await statuses(10)
    expect(proxy.counts.get(1)).toBe(8)
    await proxy.proxy.close()
  })
})

describe('previous_priorities', () => {
  it.each([
    [1, '121212121'],
    [2, '112211221'],
  ])('with update_frequency %i starts over once every priority was tried: %s', async (update_frequency, want) => {
    const type = 'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig'
    const retry_priority = { name: 'p', typed_config: { '@type': type, update_frequency } }
    const retry_policy = { retry_on: '5xx', num_retries: 8, retry_priority }
    const load_assignment = { endpoints: [memoryEndpoints([1]), { ...memoryEndpoints([2]), priority: 1 }] }
    let seen = ''
    const fails = (name: string) => (): number => {
      seen += name
      return 500
    }
    const proxy = await startMemoryProxy(
      to({ cluster: 'app', retry_policy }),
      [memoryCluster('app', [], { load_assignment: { cluster_name: 'app', ...load_assignment } })],
      { 1: fails('1'), 2: fails('2') },
    )
    await settle(proxy, [proxy.get()])
    expect(seen).toBe(want)
    await proxy.proxy.close()
  })
})

describe('retries', () => {
  const retry_policy = { retry_on: '5xx', num_retries: 3, retry_back_off: { base_interval: '0.025s' } }

  it('are as many as allowed, and no more', async () => {
    const proxy = await startMemoryProxy(to({ cluster: 'app', retry_policy }), [memoryCluster('app', [1])], { 1: () => 503 })
    expect(await settle(proxy, [proxy.get()])).toEqual([503])
    expect(proxy.counts.get(1)).toBe(4)
    expect(proxy.stat('envoy_cluster_upstream_rq_retry')).toBe(3)
    expect(proxy.stat('envoy_cluster_upstream_rq_retry_limit_exceeded')).toBe(1)
    await proxy.proxy.close()
  })

  it('stop with the first answer that is good', async () => {
    const proxy = await startMemoryProxy(to({ cluster: 'app', retry_policy }), [memoryCluster('app', [1])], {
      1: ({ count }) => (count < 3 ? 503 : 200),
    })
    expect(await settle(proxy, [proxy.get()])).toEqual([200])
    expect(proxy.counts.get(1)).toBe(3)
    expect(proxy.stat('envoy_cluster_upstream_rq_retry_success')).toBe(1)
    await proxy.proxy.close()
  })

  it.each([
    [
      'a budget of 20 % of ten requests is two at once',
      { retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 1 } },
      2,
    ],
    ['a budget never goes under its minimum', { retry_budget: { budget_percent: { value: 1 }, min_retry_concurrency: 4 } }, 4],
    ['max_retries without a budget', { max_retries: 1 }, 1],
  ])('%s', async (_, limits, allowed) => {
    const circuit_breakers = { thresholds: [{ max_requests: 100, max_pending_requests: 100, max_connections: 100, ...limits }] }
    const waiting: (() => void)[] = []
    const proxy = await startMemoryProxy(
      to({
        cluster: 'app',
        timeout: '0s',
        retry_policy: { ...retry_policy, num_retries: 1, retry_back_off: { base_interval: '5s' } },
      }),
      [memoryCluster('app', [1], { circuit_breakers })],
      { 1: ({ path }) => (path === '/held' ? new Promise((resolve) => waiting.push(() => resolve(200))) : 503) },
    )
    // Ten requests are under way all the time; five others fail at once, one after the other.
    const held = Array.from({ length: 10 }, () => proxy.get('/held'))
    for (let i = 0; i < 10; i++) await turn()
    expect(waiting).toHaveLength(10)
    const failing: Promise<number>[] = []
    for (let i = 0; i < 5; i++) {
      failing.push(proxy.get('/fails'))
      for (let j = 0; j < 5; j++) await turn()
    }
    expect(proxy.stat('envoy_cluster_upstream_rq_retry')).toBe(allowed)
    expect(proxy.stat('envoy_cluster_upstream_rq_retry_overflow')).toBe(5 - allowed)
    for (let i = 0; i < 20; i++) {
      await proxy.clock.advanceAsync(1_000)
      await turn()
    }
    for (const one of waiting) one()
    expect(new Set(await settle(proxy, failing))).toEqual(new Set([503]))
    expect(await settle(proxy, held)).toEqual(Array.from({ length: 10 }, () => 200))
    await proxy.proxy.close()
  })
})
