import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { brokenTarget, clusterName, mutualTls } from '../src/proxyless.js'
import type { ProxylessClient, StartClient } from '../src/proxyless-client.js'
import { createProxylessWorld, type ProxylessWorld } from '../src/proxyless-world.js'

const TIMEOUT_MS = 60_000
/** Calls a second while clusters come and go. */
const RATE = 300

/** What any gRPC client must make of our server's resources; each check has a target of its own. LDS -> RDS -> CDS -> EDS over SotW ADS. */
export function proxylessChecks(start: StartClient): void {
  let world: ProxylessWorld
  let client: ProxylessClient

  beforeAll(async () => {
    world = await createProxylessWorld()
    client = await start(world.bootstrap)
  }, TIMEOUT_MS)

  afterAll(async () => {
    await client?.close()
    await world?.close()
  }, TIMEOUT_MS)

  const names = (answers: object): string[] => Object.keys(answers).sort()
  const check = (title: string, run: () => Promise<void>): void => void test(title, run, TIMEOUT_MS)

  check('calls follow the weights, 90 to 10, and a live change to 0 and 100 without one failure', async () => {
    world.give('canary', { weights: { v1: 90, v2: 10 } })
    const before = await client.call('xds:///canary', 300)
    expect(names(before)).toEqual(['v1', 'v2'])
    expect(before['v1']).toBeGreaterThan(230)
    // Chance has less than that once in a thousand million runs.
    expect(before['v2']).toBeGreaterThan(3)
    const load = await client.load('xds:///canary', 100)
    await world.calledAgain('v1')
    world.give('canary', { weights: { v1: 0, v2: 100 } })
    await world.settled()
    await world.calledAgain('v2')
    expect(names(await load.end())).toEqual(['v1', 'v2'])
    expect(await client.call('xds:///canary', 50)).toEqual({ v2: 50 })
  })

  check(`clusters come and go under ${RATE} calls a second without one failure: make before break`, async () => {
    world.give('moving', { weights: { v1: 100 } })
    expect(await client.call('xds:///moving', 1)).toEqual({ v1: 1 })
    const load = await client.load('xds:///moving', RATE)
    for (const version of ['v2', 'v1', 'v2', 'v1', 'v2']) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      // One step: the new cluster comes, the route moves, the old cluster goes.
      world.give('moving', { weights: { [version]: 100 } })
      await world.settled()
      await world.calledAgain(version)
    }
    const answers = await load.end()
    expect(names(answers)).toEqual(['v1', 'v2'])
    expect(Object.values(answers).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(RATE)
    expect(await client.call('xds:///moving', 20)).toEqual({ v2: 20 })
  })

  check('what the client refuses is told with its name and reason, and the last good one serves on', async () => {
    world.give('nack', { weights: { v2: 100 } })
    expect(await client.call('xds:///nack', 1)).toEqual({ v2: 1 })
    // The first of a name counts.
    world.give('nack', { weights: { v2: 100 } }, brokenTarget('nack'))
    const { refused } = await world.applied()
    expect(refused).toMatchObject([{ typeUrl: expect.stringContaining('Listener'), resources: ['nack'] }])
    expect(refused[0]?.message).not.toBe('')
    expect(await client.call('xds:///nack', 5)).toEqual({ v2: 5 })
    world.give('nack', { weights: { v2: 100 } })
    await world.settled()
  })

  check('calls follow a header', async () => {
    const beta = {
      match: { prefix: '', headers: [{ name: 'tier', string_match: { exact: 'beta' } }] },
      route: { cluster: clusterName('header', 'v2') },
    }
    world.give('header', { weights: { v1: 100, v2: 0 }, routes: [beta] })
    expect(await client.call('xds:///header', 20)).toEqual({ v1: 20 })
    expect(await client.call('xds:///header', 20, { tier: 'beta' })).toEqual({ v2: 20 })
  })

  check('a fault is injected by the client itself', async () => {
    const abort = { grpc_status: 8, percentage: { numerator: 100 } }
    const fault = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault', abort }
    world.give('fault', { weights: { v2: 100 }, filters: [{ name: 'fault', typed_config: fault }] })
    expect(names(await client.call('xds:///fault', 3))).toEqual([expect.stringContaining('RESOURCE_EXHAUSTED')])
  })

  check('a retry policy retries', async () => {
    world.give('retry', { weights: { v2: 100 } })
    const twice = { 'fail-first': '2' }
    expect(names(await client.call('xds:///retry', 1, twice))).toEqual([expect.stringContaining('UNAVAILABLE')])
    const retry_policy = { retry_on: 'unavailable', num_retries: 2, retry_back_off: { base_interval: '0.01s' } }
    world.give('retry', { weights: { v2: 100 }, action: { retry_policy } })
    await world.settled()
    await vi.waitFor(async () => expect(await client.call('xds:///retry', 1, twice)).toEqual({ v2: 1 }), 20_000)
  })

  check('ring hash keeps a header value on one endpoint', async () => {
    const endpoints = { v1: [world.ports['v1'] ?? 0, world.ports['v2'] ?? 0] }
    const action = { hash_policy: [{ header: { header_name: 'user' } }] }
    world.give('ring', { weights: { v1: 100 }, action, cluster: { lb_policy: 'RING_HASH' }, endpoints })
    const seen = new Set<string>()
    // Where the ports lie on the ring is chance: so many users that both get some.
    for (let user = 0; user < 60; user++) {
      const answers = names(await client.call('xds:///ring', 3, { user: `user-${user}` }))
      expect(answers).toHaveLength(1)
      seen.add(answers[0] ?? '')
    }
    expect(seen).toEqual(new Set(['v1', 'v2']))
  })

  check('names may be xdstp URIs, of the listener, routes, clusters and endpoints (line 48)', async () => {
    world.give('uri', { weights: { v1: 100 }, uris: true })
    expect(await client.call('xds://heddle/uri', 3)).toEqual({ v1: 3 })
    world.give('uri', { weights: { v2: 100 }, uris: true })
    await world.settled()
    await vi.waitFor(async () => expect(await client.call('xds://heddle/uri', 1)).toEqual({ v2: 1 }), 20_000)
  })

  check('a cluster may want mutual TLS, and a server that is who it should be by its SPIFFE ID', async () => {
    world.give('secure', { weights: { secure: 100 }, cluster: mutualTls(world.secureIdentity) })
    expect(await client.call('xds:///secure', 5)).toEqual({ secure: 5 })
    world.give('stranger', { weights: { secure: 100 }, cluster: mutualTls('spiffe://cluster.local/ns/shop/sa/stranger') })
    expect(names(await client.call('xds:///stranger', 1))).not.toContain('secure')
  })

  check('load reports tell what was called (line 89)', async () => {
    world.give('load', { weights: { v2: 100 }, cluster: { lrs_server: { self: {} } } })
    const succeeded = (): number => {
      const loads = world.reports.loads.current.filter(({ cluster }) => cluster === clusterName('load', 'v2'))
      return loads.flatMap(({ localities }) => localities).reduce((sum, locality) => sum + locality.succeeded, 0)
    }
    await vi.waitFor(async () => {
      await client.call('xds:///load', 10)
      expect(succeeded()).toBeGreaterThanOrEqual(20)
    }, 25_000)
  })

  check('an outage is not noticed, and what has changed meanwhile is taken when the server is back', async () => {
    world.give('outage', { weights: { v2: 100 } })
    expect(await client.call('xds:///outage', 1)).toEqual({ v2: 1 })
    const back = await world.outage()
    expect(await client.call('xds:///outage', 20)).toEqual({ v2: 20 })
    world.give('outage', { weights: { v1: 100 } })
    await back()
    await vi.waitFor(async () => expect(await client.call('xds:///outage', 1)).toEqual({ v1: 1 }), 40_000)
  })
}
