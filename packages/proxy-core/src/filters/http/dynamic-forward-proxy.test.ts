import { describe, expect, it } from 'vitest'
import { dynamicForwardProxyFilter } from './dynamic-forward-proxy.js'
import { deps, must, stream } from './testing.js'

const config = { dns_cache_config: { name: 'names' } }

function filter(resolution: 'resolved' | 'failed' | 'overflow', kind = 'DYNAMIC_FORWARD_PROXY') {
  const asked: string[] = []
  const own = deps({
    dnsCaches: {
      close() {},
      get: () => ({
        get: () => undefined,
        resolve(authority, defaultPort) {
          asked.push(`${authority} ${defaultPort}`)
          return resolution === 'resolved' ? resolution : Promise.resolve(resolution)
        },
      }),
    },
    clusterDiscovery: () => ({ kind, defaultPort: 443 }) as never,
  })
  const create = dynamicForwardProxyFilter.create(must(dynamicForwardProxyFilter.decode(config, 'c')), own, 'dfp')
  return {
    asked,
    async run(perRoute?: unknown, headers: Record<string, string> = {}) {
      const one = Object.assign(stream({ perRoute, headers }), { route: { kind: 'forward', target: { cluster: 'dfp' } } })
      return { reply: await create(one).onRequest?.(one.request, one), authority: one.request.authority }
    },
  }
}

describe('the dynamic forward proxy', () => {
  it('finds the Host before the cluster is asked', async () => {
    const { run, asked } = filter('resolved')
    expect(await run()).toEqual({ reply: undefined, authority: 'apps' })
    expect(asked).toEqual(['apps 443'])
  })

  it('may look for another host than the request’s', async () => {
    const { run, asked } = filter('resolved')
    const perRoute = (value: object) => must(dynamicForwardProxyFilter.decodePerRoute!(value as Record<string, unknown>, 'c'))
    expect((await run(perRoute({ host_rewrite_literal: 'other:80' }))).authority).toBe('other:80')
    expect((await run(perRoute({ host_rewrite_header: 'X-To' }), { 'x-to': 'third' })).authority).toBe('third')
    expect(asked).toEqual(['other:80 443', 'third 443'])
  })

  it('says why it cannot', async () => {
    expect((await filter('failed').run()).reply).toMatchObject({ status: 503, details: 'dns_resolution_failure', flag: 'DF' })
    expect((await filter('overflow').run()).reply).toMatchObject({ status: 503, details: 'dns_cache_overflow', flag: 'UO' })
  })

  it('leaves other clusters alone', async () => {
    const { run, asked } = filter('failed', 'STATIC')
    expect((await run()).reply).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('needs a cache with a name', () => {
    expect(dynamicForwardProxyFilter.decode({}, 'c').ok).toBe(false)
    expect(dynamicForwardProxyFilter.decode({ dns_cache_config: {} }, 'c').ok).toBe(false)
  })
})
