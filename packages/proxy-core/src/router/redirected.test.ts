import { expect, it } from 'vitest'
import { dottedName } from '../observe/stat-name.js'
import { memoryCluster, startMemoryProxy } from '../testing-proxy.js'

/** An answer's redirect, followed inside: through a whole proxy in memory. */

const policy = { internal_redirect_policy: { max_internal_redirects: 2 } }
const routes = [
  { match: { prefix: '/old' }, route: { cluster: 'app', ...policy } },
  { match: { prefix: '/new' }, direct_response: { status: 201 } },
]

it('CVE-2022-21655: follows an absolute location to its route, a direct response, and passes a relative one on', async () => {
  const proxy = await startMemoryProxy({ routes }, [memoryCluster('app', [1])], {
    1: ({ path }) => ({ status: 302, headers: { location: path === '/old' ? 'http://app/new' : '/new' } }),
  })
  expect(await proxy.get('/old')).toBe(201)
  expect(await proxy.get('/old/relative')).toBe(302)
  await proxy.proxy.close()
})

it('gives up after as many as are allowed, and where no route leads on', async () => {
  const proxy = await startMemoryProxy({ routes }, [memoryCluster('app', [1])], {
    1: ({ path }) => ({
      status: 302,
      headers: { location: path === '/old/round' ? 'http://app/old/round' : 'http://app/nowhere' },
    }),
  })
  expect(await proxy.get('/old/round')).toBe(302)
  expect(proxy.counts.get(1)).toBe(3)
  expect(await proxy.get('/old')).toBe(302)
  expect(proxy.counts.get(1)).toBe(4)
  await proxy.proxy.close()
})

it('counts what was followed, and why others were not', async () => {
  const proxy = await startMemoryProxy({ routes }, [memoryCluster('app', [1])], {
    1: ({ path }) => ({ status: 302, headers: { location: path === '/old' ? 'http://app/new' : '/new' } }),
  })
  expect(await proxy.get('/old')).toBe(201)
  expect(await proxy.get('/old/relative')).toBe(302)
  expect(proxy.stat('envoy_cluster_upstream_internal_redirect_succeeded_total')).toBe(1)
  expect(proxy.stat('envoy_cluster_upstream_internal_redirect_failed_total')).toBe(1)
  expect(proxy.stat('envoy_http_passthrough_internal_redirect_bad_location')).toBe(1)
  await proxy.proxy.close()
})

it('requests of virtual clusters and of routes with a name are counted by them', async () => {
  const virtualHost = {
    routes: [{ match: { prefix: '/' }, stat_prefix: 'shop', route: { cluster: 'app' } }],
    virtual_clusters: [{ name: 'checkout', headers: [{ name: ':path', string_match: { prefix: '/checkout' } }] }],
  }
  const proxy = await startMemoryProxy(virtualHost, [memoryCluster('app', [1])], {
    1: ({ path }) => (path === '/checkout' ? 500 : 200),
  })
  for (const path of ['/checkout', '/', '/']) await proxy.get(path)
  expect(proxy.stat('envoy_vhost_vcluster_upstream_rq_total')).toBe(3)
  const names = [...proxy.proxy.stats.families()].flatMap((family) =>
    [...family.series()].map(([labels]) => dottedName(family.name, family.labelNames, labels)),
  )
  expect(names).toEqual(
    expect.arrayContaining([
      'vhost.all.vcluster.checkout.upstream_rq_500',
      'vhost.all.vcluster.checkout.upstream_rq_5xx',
      'vhost.all.vcluster.other.upstream_rq_200',
      'vhost.all.route.shop.upstream_rq_total',
    ]),
  )
  await proxy.proxy.close()
})
