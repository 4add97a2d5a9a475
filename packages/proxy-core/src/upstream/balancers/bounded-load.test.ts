import { createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../endpoint.js'
import { createHash64 } from '../hash.js'
import { boundedLoad } from './bounded-load.js'
import { createMersenneTwister } from './mersenne-twister.js'
import { ringHash } from './ring-hash.js'

const hosts = [1, 2, 3, 4].map((port) => ({
  weight: 1,
  endpoint: {
    ...{ address: { address: '10.0.0.1', port }, weight: 1, priority: 0, health: 'HEALTHY', metadata: {} },
    locality: { region: '', zone: '', subZone: '' },
  } as Endpoint,
}))

describe('bounded loads', () => {
  const setUp = async (percent: number) => {
    const active = new Map<Endpoint, number>()
    const hash64 = await createHash64()
    const ring = ringHash({ minimumRingSize: 1024, maximumRingSize: 8192, useHostname: false }, hash64)
    const deps = { random: createSeededRandom(1), activeRequests: (one: Endpoint) => active.get(one) ?? 0, isHealthy: () => true }
    const [bounded, plain] = [boundedLoad(ring, percent).create(hosts, deps), ring.create(hosts, deps)]
    return { active, bounded, plain, hash: hash64('one client') }
  }

  it('leave the choice to the hash while nobody has too much', async () => {
    const { bounded, plain, hash } = await setUp(150)
    for (let i = 0n; i < 50n; i++) expect(bounded.choose({ hash: hash + i }, 0)).toBe(plain.choose({ hash: hash + i }, 0))
  })

  it('give no host more than its share, whatever the hash wants', async () => {
    const { bounded, active, hash } = await setUp(125)
    for (let i = 0; i < 100; i++) {
      const endpoint = bounded.choose({ hash }, 0)!
      active.set(endpoint, (active.get(endpoint) ?? 0) + 1)
    }
    // 101 * 1.25 / 4 slots a host, and the one that finds the last slot taken.
    expect(Math.max(...active.values())).toBeLessThanOrEqual(33)
    expect([...active.values()].reduce((sum, one) => sum + one, 0)).toBe(100)
  })

  it('send on what is too much in an order that the hash alone decides', async () => {
    const { bounded, plain, active, hash } = await setUp(100)
    const first = plain.choose({ hash }, 0)!
    active.set(first, 10)
    const second = bounded.choose({ hash }, 0)
    expect(second).not.toBe(first)
    for (let i = 0; i < 5; i++) expect(bounded.choose({ hash }, 0)).toBe(second)
    const others = new Set(Array.from({ length: 40 }, (_, i) => bounded.choose({ hash: hash ^ (BigInt(i + 1) << 3n) }, 0)))
    expect(others.size).toBeGreaterThan(2)
  })

  it('take who has least when all have too much', async () => {
    const { bounded, active, hash } = await setUp(100)
    for (const [i, { endpoint }] of hosts.entries()) active.set(endpoint, i === 2 ? 9 : 1000)
    expect(bounded.choose({ hash }, 0)).toBe(hosts[2]!.endpoint)
  })
})

it('the generator is std::mt19937: its ten thousandth number from the default seed is the standard’s', () => {
  const next = createMersenneTwister(5489)
  let value = 0
  for (let i = 0; i < 10_000; i++) value = next()
  expect(value).toBe(4_123_659_995)
})
