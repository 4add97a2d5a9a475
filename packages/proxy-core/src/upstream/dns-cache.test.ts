import { silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { DnsCacheConfig } from '../config/compiled.js'
import { createDnsCaches } from './dns-cache.js'
import { dynamicEndpoint } from './dynamic-hosts.js'

const config: DnsCacheConfig = {
  name: 'c',
  family: 'AUTO',
  refreshMs: 60_000,
  hostTtlMs: 90_000,
  maxHosts: 2,
  queryTimeoutMs: 5_000,
  maxPendingRequests: 10,
}

function setUp(answers: Readonly<Record<string, readonly string[]>>) {
  const clock = createFakeClock()
  const asked: string[] = []
  const caches = createDnsCaches({
    clock,
    logger: silentLogger,
    lookup: (host) => {
      asked.push(host)
      const found = answers[host]
      if (host === 'silent') return new Promise(() => {})
      return found === undefined ? Promise.reject(new Error('NXDOMAIN')) : Promise.resolve(found)
    },
  })
  return { cache: caches.get(config), caches, clock, asked }
}

describe('names of a dynamic forward proxy', () => {
  it('are asked for once, with the port that the scheme has', async () => {
    const { cache, asked, caches } = setUp({ 'one.example': ['10.0.0.1'] })
    expect(await Promise.all([cache.resolve('one.example', 80), cache.resolve('ONE.example', 80)])).toEqual([
      'resolved',
      'resolved',
    ])
    expect(cache.resolve('one.example', 80)).toBe('resolved')
    expect(asked).toEqual(['one.example'])
    expect(cache.get('one.example:80')).toMatchObject({ address: { address: '10.0.0.1', port: 80 }, hostname: 'one.example:80' })
    expect(caches.get(config)).toBe(cache)
  })

  it('need no resolver when they are addresses', async () => {
    const { cache, asked } = setUp({})
    expect(await cache.resolve('127.0.0.1:8080', 80)).toBe('resolved')
    expect(await cache.resolve('[::1]:8080', 80)).toBe('resolved')
    expect(cache.get('[::1]:8080')?.address).toEqual({ address: '::1', port: 8080 })
    expect(asked).toEqual([])
  })

  it('that fail, or do not answer, are not kept', async () => {
    const { cache, clock } = setUp({})
    expect(await cache.resolve('none.example', 80)).toBe('failed')
    const silent = cache.resolve('silent', 80)
    await clock.advanceAsync(5_000)
    expect(await silent).toBe('failed')
    expect(cache.get('none.example:80')).toBeUndefined()
  })

  it('are no more than max_hosts', async () => {
    const { cache } = setUp({ a: ['10.0.0.1'], b: ['10.0.0.2'], c: ['10.0.0.3'] })
    expect([await cache.resolve('a', 80), await cache.resolve('b', 80), await cache.resolve('c', 80)]).toEqual([
      'resolved',
      'resolved',
      'overflow',
    ])
  })

  it('are asked for again, and forgotten when nobody wants them', async () => {
    const answers: Record<string, readonly string[]> = { 'one.example': ['10.0.0.1'] }
    const { cache, clock } = setUp(answers)
    await cache.resolve('one.example', 80)
    answers['one.example'] = ['10.0.0.2']
    await clock.advanceAsync(60_000)
    expect(cache.get('one.example:80')?.address.address).toBe('10.0.0.2')
    await clock.advanceAsync(60_000)
    expect(cache.get('one.example:80')).toBeUndefined()
  })
})

describe('an original destination', () => {
  const cluster = (discovery: object) => ({ discovery: { kind: 'ORIGINAL_DST', ...discovery } }) as never
  const there = { address: '10.1.1.1', port: 9 }
  const asking = (value: string) => ({ head: { headers: new Map([['x-to', value]]) } }) as never

  it('is the connection’s, or what a header says', () => {
    expect(dynamicEndpoint(cluster({}), {}, there, undefined)?.address).toEqual(there)
    expect(dynamicEndpoint(cluster({ port: 80 }), {}, there, undefined)?.address).toEqual({ ...there, port: 80 })
    const byHeader = cluster({ headerName: 'x-to' })
    expect(dynamicEndpoint(byHeader, asking('10.2.2.2:7'), there, undefined)?.address).toEqual({ address: '10.2.2.2', port: 7 })
    expect(dynamicEndpoint(byHeader, asking('[fd00::1]:7'), there, undefined)?.address).toEqual({ address: 'fd00::1', port: 7 })
    expect(dynamicEndpoint(byHeader, asking('example.com:7'), there, undefined)).toBeUndefined()
  })
})
