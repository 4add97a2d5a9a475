import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { applied, cache, endWorld, NODE, outage, scene, settled, startWorld, TYPE, wishes } from './grpc-world.js'

// A client that we did not write: gRPC's own xDS resolver asks over SotW ADS, LDS -> RDS -> CDS -> EDS.

beforeAll(startWorld, 30_000)
afterAll(endWorld)

test('calls follow the weights, and a live change of them, without one failure', async () => {
  const { give, ask } = scene('canary')
  give({ weights: { v1: 90, v2: 10 } })
  const before: Record<string, number> = { v1: 0, v2: 0 }
  for (let i = 0; i < 200; i++) before[await ask()]! += 1
  expect(before['v1']).toBeGreaterThan(150)
  expect(before['v2']).toBeGreaterThan(3)

  let calling = true
  const answers: string[] = []
  const load = (async () => {
    while (calling) answers.push(await ask())
  })()
  give({ weights: { v1: 0, v2: 100 } })
  await settled()
  // Now v1 goes altogether: make before break.
  give({ weights: { v2: 100 } })
  await settled()
  calling = false
  await load
  expect(answers.length).toBeGreaterThan(0)
  for (let i = 0; i < 50; i++) expect(await ask()).toBe('v2')
}, 30_000)

test('a resource that the client refuses is told with its reason, and the last good one serves on', async () => {
  const { give, ask } = scene('nack')
  give({ weights: { v2: 100 } })
  expect(await ask()).toBe('v2')
  const good = wishes.get('nack') ?? []
  const broken = new Map<string, object[]>([
    [
      `${TYPE}listener.v3.Listener`,
      [{ name: 'nack', api_listener: { api_listener: { '@type': `${TYPE}cluster.v3.Cluster`, name: 'not a manager' } } }],
    ],
  ])
  // The first of a name counts.
  wishes.set('nack', [{ id: 'bad', resources: broken }, ...good])
  cache.set(NODE, { groups: [...wishes.values()].flat() })
  const { refused } = await applied()
  expect(refused).toMatchObject([{ nodeId: NODE, typeUrl: `${TYPE}listener.v3.Listener` }])
  expect(refused[0]?.message).not.toBe('')
  expect(await ask()).toBe('v2')
  give({ weights: { v2: 100 } })
  await settled()
}, 30_000)

test('a fault is injected by the client itself', async () => {
  const { give, ask } = scene('fault')
  const fault = {
    name: 'fault',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
      abort: { grpc_status: status.RESOURCE_EXHAUSTED, percentage: { numerator: 100 } },
    },
  }
  give({ weights: { v2: 100 }, filters: [fault] })
  await expect(ask()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED })
})

test('a retry policy retries', async () => {
  const { give, ask } = scene('retry')
  give({ weights: { v2: 100 } })
  await expect(ask({ 'fail-first': '2' })).rejects.toMatchObject({ code: status.UNAVAILABLE })
  const retry_policy = { retry_on: 'unavailable', num_retries: 2, retry_back_off: { base_interval: '0.01s' } }
  give({ weights: { v2: 100 }, action: { retry_policy } })
  await settled()
  await vi.waitFor(async () => expect(await ask({ 'fail-first': '2' })).toBe('v2'), 5_000)
})

test('ring hash keeps a header value on one endpoint', async () => {
  const { give, ask } = scene('ring')
  const action = { hash_policy: [{ header: { header_name: 'user' } }] }
  give({ weights: { v1: 100 }, action, cluster: { lb_policy: 'RING_HASH' }, endpoints: { v1: ['v1', 'v2'] } })
  const byUser = new Map<string, Set<string>>()
  for (let i = 0; i < 60; i++) {
    const user = `user-${i % 20}`
    byUser.set(user, (byUser.get(user) ?? new Set()).add(await ask({ user })))
  }
  expect([...byUser.values()].every((answers) => answers.size === 1)).toBe(true)
  expect(new Set([...byUser.values()].flatMap((answers) => [...answers]))).toEqual(new Set(['v1', 'v2']))
})

test('an outage is not noticed, and what has changed meanwhile is taken when the server is back', async () => {
  const { give, ask } = scene('outage')
  give({ weights: { v2: 100 } })
  expect(await ask()).toBe('v2')
  const back = await outage()
  for (let i = 0; i < 20; i++) expect(await ask()).toBe('v2')
  give({ weights: { v1: 100 } })
  await back()
  await vi.waitFor(async () => expect(await ask()).toBe('v1'), 20_000)
}, 30_000)
