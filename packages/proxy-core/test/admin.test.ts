import { describe, expect, it } from 'vitest'
import { createProxy, createStaticSecrets } from '../src/index.js'
import { OWN_CHAIN, OWN_KEY } from '../src/testing-certificates.js'
import { ask, httpManager, later, listener, routes, socketAddress, staticCluster, upstream } from './support.js'

async function start() {
  const web = await upstream((_, response) => response.end('web'))
  const proxy = createProxy({
    version: '1.2.3',
    bootstrap: {
      node: { id: 'test', cluster: 'test', metadata: { A: 'b' } },
      admin: { address: socketAddress(0) },
      static_resources: {
        listeners: [
          listener('ingress', httpManager({ route_config: routes([{ match: { prefix: '/' }, route: { cluster: 'web' } }]) })),
        ],
        clusters: [staticCluster('web', [web])],
        secrets: [
          {
            name: 'mine',
            tls_certificate: { certificate_chain: { inline_string: OWN_CHAIN }, private_key: { inline_string: OWN_KEY } },
          },
        ],
      },
    },
    secrets: createStaticSecrets([]),
    drainTimeMs: 1000,
  })
  await proxy.start()
  later(() => proxy.close())
  const port = proxy.listeners[0]?.address.port ?? 0
  await ask(port, '/')
  const admin = proxy.adminAddress?.port ?? 0
  return {
    proxy,
    web,
    port,
    get: (path: string) => ask(admin, path),
    post: (path: string) => ask(admin, path, { method: 'POST' }),
    json: async (path: string) => JSON.parse((await ask(admin, path)).body),
  }
}

describe('the admin interface', () => {
  it('tells what the server is', async () => {
    const { get, json } = await start()
    expect(await get('/ready')).toMatchObject({ status: 200, body: 'LIVE\n' })
    expect(await json('/server_info')).toMatchObject({
      version: '1.2.3',
      state: 'LIVE',
      node: { id: 'test', metadata: { A: 'b' } },
    })
    expect(await get('/hot_restart_version')).toMatchObject({ status: 200, body: 'disabled' })
    expect(await json('/runtime')).toEqual({ layers: [], entries: {} })
    expect(Number((await json('/memory')).heap_size)).toBeGreaterThan(0)
    expect((await get('/help')).body).toContain('/config_dump: ')
    expect((await get('/')).status).toBe(200)
    expect((await get('/nothing')).status).toBe(404)
  })

  it('shows statistics as text, JSON and for Prometheus, filtered', async () => {
    const { get, json } = await start()
    expect((await get('/stats?filter=downstream_rq_total')).body).toBe('http.ingress.downstream_rq_total: 1\n')
    expect(await json('/stats?format=json&filter=http.ingress.downstream_rq_total')).toEqual({
      stats: [{ name: 'http.ingress.downstream_rq_total', value: 1 }],
    })
    expect((await get('/stats?usedonly')).body).not.toMatch(/: 0$/m)
    expect((await get('/stats?filter=upstream_rq_time')).body).toMatch(/^cluster\.web\.upstream_rq_time: P0\(/m)
    expect((await get('/stats/prometheus')).body).toContain(
      'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="ingress"} 1',
    )
    expect((await get('/stats?filter=(')).status).toBe(400)
  })

  it('shows listeners and clusters as text and JSON', async () => {
    const { get, json, port, web } = await start()
    expect((await get('/listeners')).body).toBe(`ingress::127.0.0.1:${port}\n`)
    expect(await json('/listeners?format=json')).toEqual({
      listener_statuses: [{ name: 'ingress', local_address: { socket_address: { address: '127.0.0.1', port_value: port } } }],
    })
    expect((await get('/clusters')).body).toContain(`web::127.0.0.1:${web}::health_flags::healthy\n`)
    const { cluster_statuses: statuses } = await json('/clusters?format=json')
    expect(statuses[0]).toMatchObject({
      name: 'web',
      host_statuses: [{ address: { socket_address: { port_value: web } }, health_status: { eds_health_status: 'HEALTHY' } }],
    })
    expect(statuses[0].host_statuses[0].stats).toContainEqual({ value: '1', name: 'rq_success' })
  })

  it('dumps its configuration in order, without private keys', async () => {
    const { get, json, proxy } = await start()
    const dump = await json('/config_dump')
    expect(dump.configs.map((config: { '@type': string }) => config['@type'].split('.').at(-1))).toEqual([
      'BootstrapConfigDump',
      'ClustersConfigDump',
      'ListenersConfigDump',
      'ScopedRoutesConfigDump',
      'RoutesConfigDump',
      'SecretsConfigDump',
    ])
    expect(dump.configs[1].static_clusters[0].cluster).toMatchObject({
      '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
      name: 'web',
    })
    expect(dump.configs[2].static_listeners[0].listener).toMatchObject({ name: 'ingress' })
    const [, secret] = OWN_KEY.split('\n')
    expect(JSON.stringify(dump)).not.toContain(secret)
    expect(JSON.stringify(proxy.configDump())).not.toContain(secret)
    expect((await json('/config_dump?resource=static_clusters')).configs).toMatchObject([
      { '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump.StaticCluster', cluster: { name: 'web' } },
    ])
    expect((await json('/config_dump?resource=static_clusters&name_regex=other.*')).configs ?? []).toEqual([])
    expect((await get('/config_dump?resource=nothing')).status).toBe(404)
  })

  it('changes nothing by GET', async () => {
    const { get } = await start()
    for (const path of ['/drain_listeners', '/quitquitquit', '/healthcheck/fail', '/healthcheck/ok', '/logging'])
      expect((await get(path)).status).toBe(405)
    expect((await get('/ready')).status).toBe(200)
  })

  it('fails and passes health checks', async () => {
    const { get, post } = await start()
    await post('/healthcheck/fail')
    expect(await get('/ready')).toMatchObject({ status: 503, body: 'DRAINING\n' })
    await post('/healthcheck/ok')
    expect((await get('/ready')).status).toBe(200)
  })

  it('drains listeners, and quits', async () => {
    const { post, proxy, port } = await start()
    expect((await post('/drain_listeners')).body).toBe('OK\n')
    await expect(ask(port, '/')).rejects.toThrow('ECONNREFUSED')
    await post('/quitquitquit')
    await proxy.closed
  })
})
