import { silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { CompiledCluster } from '../config/compiled.js'
import { createDns } from './dns.js'
import type { EndpointSet } from './endpoint.js'

const cluster = (kind: 'STRICT_DNS' | 'LOGICAL_DNS', hosts: readonly string[]): CompiledCluster => {
  const endpoints = hosts.map((address) => ({
    address: { address, port: 80 },
    weight: 1,
    priority: 0,
    locality: { region: '', zone: '', subZone: '' },
    health: 'HEALTHY' as const,
    metadata: {},
  }))
  const dns = { refreshMs: 5000, respectTtl: false, family: 'AUTO' as const }
  return {
    name: 'c',
    discovery: { kind, endpoints: { endpoints, localities: [], overprovisioningFactor: 140 }, dns },
  } as unknown as CompiledCluster
}

function setUp(answers: Record<string, readonly string[]>) {
  const clock = createFakeClock()
  const asked: string[] = []
  const resolve = createDns({
    clock,
    logger: silentLogger,
    async lookup(host) {
      asked.push(host)
      const found = answers[host]
      if (found === undefined) throw new Error('ENOTFOUND')
      return found
    },
  })
  return { clock, asked, resolve, answers }
}

const addresses = (set: EndpointSet | undefined) => set?.endpoints.map(({ address }) => address.address)

describe('endpoints by DNS', () => {
  it('are all addresses of every name, and IP addresses as they stand', async () => {
    const { resolve, clock, asked } = setUp({ a: ['10.0.0.2', '10.0.0.1'], b: ['10.0.1.1'] })
    const { endpoints } = resolve(cluster('STRICT_DNS', ['a', '192.0.2.7', 'b', 'a']))
    expect(endpoints.current).toBeUndefined()
    await clock.advanceAsync(0)
    expect(addresses(endpoints.current)).toEqual(['10.0.0.1', '10.0.0.2', '192.0.2.7', '10.0.1.1', '10.0.0.1', '10.0.0.2'])
    expect(asked).toEqual(['a', 'b'])
    expect(endpoints.current?.endpoints[0]?.hostname).toBe('a')
  })

  it('are the first address alone of a logical name', async () => {
    const { resolve, clock } = setUp({ a: ['10.0.0.2', '10.0.0.1'] })
    const { endpoints } = resolve(cluster('LOGICAL_DNS', ['a']))
    await clock.advanceAsync(0)
    expect(addresses(endpoints.current)).toEqual(['10.0.0.2'])
  })

  it('are refreshed; an answer in another order changes nothing, a failure keeps the last', async () => {
    const { resolve, clock, answers } = setUp({ a: ['10.0.0.1', '10.0.0.2'] })
    const { endpoints, close } = resolve(cluster('STRICT_DNS', ['a']))
    await clock.advanceAsync(0)
    const first = endpoints.current
    answers['a'] = ['10.0.0.2', '10.0.0.1']
    await clock.advanceAsync(5000)
    expect(endpoints.current).toBe(first)
    delete answers['a']
    await clock.advanceAsync(5000)
    expect(endpoints.current).toBe(first)
    answers['a'] = ['10.0.0.1', '10.0.0.3']
    await clock.advanceAsync(5000)
    expect(addresses(endpoints.current)).toEqual(['10.0.0.1', '10.0.0.3'])
    expect(endpoints.current?.endpoints[0]).toBe(first?.endpoints[0])
    close()
    await clock.advanceAsync(60_000)
    expect(clock.pending).toBe(0)
  })

  it('are there at once for a cluster that replaces another', async () => {
    const { resolve, clock } = setUp({ a: ['10.0.0.1'] })
    resolve(cluster('STRICT_DNS', ['a'])).close()
    await clock.advanceAsync(0)
    expect(addresses(resolve(cluster('STRICT_DNS', ['a'])).endpoints.current)).toEqual(['10.0.0.1'])
  })
})
