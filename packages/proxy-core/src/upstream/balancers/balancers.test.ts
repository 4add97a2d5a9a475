import { createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { Endpoint, EndpointSet } from '../endpoint.js'
import { createHash64 } from '../hash.js'
import type { LoadBalancerDeps, PickContext } from '../load-balancer.js'
import { murmurHash2 } from '../murmur.js'
import type { ChooserPolicy } from './chooser.js'
import { leastRequest } from './least-request.js'
import { maglev } from './maglev.js'
import { createPicker, type PickerConfig } from './picker.js'
import { priorityLoad } from './priority-load.js'
import { randomChoice } from './random.js'
import { ringHash } from './ring-hash.js'
import { roundRobin } from './round-robin.js'

const hash64 = await createHash64()
const HERE = { region: 'r', zone: 'a', subZone: '' }
const THERE = { region: 'r', zone: 'b', subZone: '' }

function endpoint(port: number, rest: Partial<Endpoint> = {}): Endpoint {
  return {
    address: { address: '127.0.0.1', port },
    weight: 1,
    priority: 0,
    locality: HERE,
    health: 'HEALTHY',
    metadata: {},
    ...rest,
  }
}

function set(endpoints: readonly Endpoint[], rest: Partial<EndpointSet> = {}): EndpointSet {
  return { endpoints, localities: [], overprovisioningFactor: 140, ...rest }
}

function deps(rest: Partial<LoadBalancerDeps> = {}): LoadBalancerDeps {
  return { random: createSeededRandom(3), activeRequests: () => 0, isHealthy: () => true, ...rest }
}

/** How often each port was picked. */
function counts(
  policy: ChooserPolicy,
  endpoints: EndpointSet,
  rounds: number,
  more: Partial<PickerConfig> = {},
  own = deps(),
  context: PickContext = {},
): Record<number, number> {
  const picker = createPicker({ policy, panicThreshold: 50, localityWeighted: false, ...more }, endpoints, own)
  const out: Record<number, number> = {}
  for (let i = 0; i < rounds; i++) {
    const port = picker.pick(context)?.address.port ?? 0
    out[port] = (out[port] ?? 0) + 1
  }
  return out
}

const near = (value: number | undefined, want: number, share = 0.03): void =>
  expect(Math.abs((value ?? 0) - want) / want).toBeLessThan(share)

describe('policies', () => {
  it('round robin takes turns, by weights where they differ', () => {
    expect(counts(roundRobin, set([endpoint(1), endpoint(2), endpoint(3)]), 300)).toEqual({ 1: 100, 2: 100, 3: 100 })
    const weighted = counts(roundRobin, set([endpoint(1, { weight: 1 }), endpoint(2, { weight: 3 })]), 400)
    near(weighted[2], 300, 0.01)
  })

  it('random and least request spread evenly when nobody is busy', () => {
    const endpoints = set([endpoint(1), endpoint(2), endpoint(3), endpoint(4)])
    for (const policy of [randomChoice, leastRequest({ choiceCount: 2, activeRequestBias: 1 })]) {
      for (const count of Object.values(counts(policy, endpoints, 40_000))) near(count, 10_000)
    }
  })

  it('least request avoids a busy host, with weights too', () => {
    const busy = deps({ activeRequests: ({ address }) => (address.port === 1 ? 50 : 0) })
    const policy = leastRequest({ choiceCount: 2, activeRequestBias: 1 })
    near(counts(policy, set([endpoint(1), endpoint(2)]), 4000, {}, busy)[1], 1000, 0.1)
    expect(counts(policy, set([endpoint(1, { weight: 2 }), endpoint(2)]), 1000, {}, busy)[1] ?? 0).toBeLessThan(60)
  })

  it.each([
    ringHash({ minimumRingSize: 1024, maximumRingSize: 8_388_608, useHostname: false }, hash64),
    maglev({ tableSize: 65_537, useHostname: false }, hash64),
  ])('$name: one hash, one host; a host that leaves takes only its own share along', (policy) => {
    const all = Array.from({ length: 5 }, (_, i) => endpoint(i + 1))
    const before = createPicker({ policy, panicThreshold: 0, localityWeighted: false }, set(all), deps())
    const after = createPicker({ policy, panicThreshold: 0, localityWeighted: false }, set(all.slice(1)), deps())
    let moved = 0
    const shares: Record<number, number> = {}
    for (let i = 0; i < 5000; i++) {
      const hash = hash64(`user${i}`)
      const first = before.pick({ hash })!
      expect(before.pick({ hash })).toBe(first)
      shares[first.address.port] = (shares[first.address.port] ?? 0) + 1
      if (first.address.port !== 1 && after.pick({ hash }) !== first) moved++
    }
    for (const share of Object.values(shares)) near(share, 1000, 0.3)
    // A smaller ring has more points for each host that is left, so some keys move among them.
    expect(moved).toBeLessThan(policy.name === 'RING_HASH' ? 800 : 250)
  })

  it('hashes as XXH64 does: seed 0 and 1 of known texts', () => {
    expect(hash64('')).toBe(0xef46db3751d8e999n)
    expect(hash64('a')).toBe(0xd24ec4f1a98c6e5bn)
    expect(hash64('', 1n)).toBe(0xd5afba1336a3be4bn)
  })

  it('hashes as libstdc++ does where a ring asks for MURMUR_HASH_2', () => {
    expect(murmurHash2('')).toBe(6142509188972423790n)
    expect(murmurHash2('hello')).toBe(2762169579135187400n)
  })

  it('a hash_key stands for a host', () => {
    const policy = ringHash({ minimumRingSize: 128, maximumRingSize: 1024, useHostname: false }, hash64)
    const keyed = (ports: number[]) =>
      set(ports.map((port, i) => endpoint(port, { metadata: { 'envoy.lb': { hash_key: `key${i}` } } })))
    const one = createPicker({ policy, panicThreshold: 0, localityWeighted: false }, keyed([1, 2]), deps())
    const two = createPicker({ policy, panicThreshold: 0, localityWeighted: false }, keyed([11, 12]), deps())
    for (let i = 0n; i < 100n; i++)
      expect(two.pick({ hash: i << 57n })!.address.port - one.pick({ hash: i << 57n })!.address.port).toBe(10)
  })
})

describe('hosts that were tried', () => {
  it('are avoided, as far as the attempts reach', () => {
    const [one, two] = [endpoint(1), endpoint(2)]
    const picker = createPicker({ policy: roundRobin, panicThreshold: 50, localityWeighted: false }, set([one, two]), deps())
    for (let i = 0; i < 20; i++) expect(picker.pick({ tried: [one], attempts: 3 })).toBe(two)
    expect(picker.pick({ tried: [one, two], attempts: 3 })).toBeDefined()
  })
})

describe('priority load', () => {
  const full = (total: number, healthy = total, degraded = 0) => ({ total, healthy, degraded })
  it.each([
    [
      [full(10), full(10)],
      [100, 0],
    ],
    [
      [full(10, 8), full(10)],
      [100, 0],
    ],
    [
      [full(10, 7), full(10)],
      [98, 2],
    ],
    [
      [full(10, 5), full(10)],
      [70, 30],
    ],
    [
      [full(10, 0), full(10)],
      [0, 100],
    ],
    [
      [full(10, 2), full(10, 2)],
      [50, 50],
    ],
    [
      [full(0), full(10)],
      [0, 100],
    ],
  ])('%j shares %j', (priorities, loads) => {
    expect(priorityLoad(priorities, 140, 50).map(({ healthy }) => healthy)).toEqual(loads)
  })

  it('goes to degraded hosts before the next priority has to be sick', () => {
    expect(priorityLoad([full(10, 5, 5)], 140, 50)).toEqual([{ healthy: 70, degraded: 30, panic: false }])
  })

  it('always adds up to 100', () => {
    for (let healthy = 0; healthy <= 7; healthy++) {
      for (let degraded = 0; degraded <= 7 - healthy; degraded++) {
        const loads = priorityLoad([full(7, healthy, degraded), full(3, 1), full(9, 2, 3)], 140, 50)
        expect(loads.reduce((sum, load) => sum + load.healthy + load.degraded, 0)).toBe(100)
      }
    }
  })
})

describe('health', () => {
  it('unhealthy and draining hosts get nothing; the next priority takes over', () => {
    const endpoints = set([
      endpoint(1, { health: 'UNHEALTHY' }),
      endpoint(2, { health: 'DRAINING' }),
      endpoint(3, { priority: 1 }),
    ])
    expect(counts(roundRobin, endpoints, 100, { panicThreshold: 0 })).toEqual({ 3: 100 })
  })

  it('panic: below the threshold all hosts are used, with 0 nobody is', () => {
    const endpoints = set([endpoint(1, { health: 'UNHEALTHY' }), endpoint(2, { health: 'UNHEALTHY' }), endpoint(3)])
    expect(counts(roundRobin, endpoints, 300)).toEqual({ 1: 100, 2: 100, 3: 100 })
    expect(counts(roundRobin, endpoints, 300, { panicThreshold: 0 })).toEqual({ 3: 300 })
    const nobody = set([endpoint(1, { health: 'UNHEALTHY' })])
    expect(counts(roundRobin, nobody, 1, { panicThreshold: 0 })).toEqual({ 0: 1 })
    expect(counts(roundRobin, nobody, 1)).toEqual({ 1: 1 })
  })

  it('sees an ejection at once, and asks no more than the epoch allows', () => {
    let ejected = 0
    let epoch = 0
    let asked = 0
    const isHealthy = ({ address }: Endpoint): boolean => {
      asked++
      return address.port !== ejected
    }
    const own = deps({ isHealthy, healthEpoch: () => epoch })
    const picker = createPicker(
      { policy: roundRobin, panicThreshold: 0, localityWeighted: false },
      set([endpoint(1), endpoint(2)]),
      own,
    )
    for (let i = 0; i < 10; i++) picker.pick({})
    expect(asked).toBe(2)
    ejected = 1
    epoch++
    for (let i = 0; i < 10; i++) expect(picker.pick({})?.address.port).toBe(2)
  })
})

describe('localities', () => {
  const endpoints = [endpoint(1), endpoint(2), endpoint(3, { locality: THERE })]
  const localities = [
    { locality: HERE, priority: 0, weight: 80 },
    { locality: THERE, priority: 0, weight: 20 },
  ]
  it('share by their weights, whatever their sizes', () => {
    const got = counts(roundRobin, set(endpoints, { localities }), 1000, { localityWeighted: true })
    near((got[1] ?? 0) + (got[2] ?? 0), 800)
    near(got[3], 200)
  })

  it('keep their whole share until over-provisioning ends', () => {
    const sick = [endpoint(1), endpoint(2, { health: 'UNHEALTHY' }), endpoint(3, { locality: THERE })]
    const got = counts(roundRobin, set(sick, { localities }), 1000, { localityWeighted: true, panicThreshold: 0 })
    near(got[1], (1000 * 80 * 0.7) / (80 * 0.7 + 20))
  })

  it('weights mean nothing unless the cluster says so', () => {
    expect(counts(roundRobin, set(endpoints, { localities }), 300)).toEqual({ 1: 100, 2: 100, 3: 100 })
  })
})
