import { Agent } from 'node:http'
import { createSnapshotCache } from '@heddle/xds-server'
import type { ResourceSet } from '@heddle/xds-types'
import { describe, expect, it } from 'vitest'
import { createProxy, type ProxyServer } from '../src/index.js'
import { startControlPlane } from './control-plane.js'
import { ask, assignment, httpManager, later, listener, routes, socketAddress, TYPES, until, upstream } from './support.js'

const ADS = { ads: {}, resource_api_version: 'V3' }
const TYPE = 'type.googleapis.com/envoy.config'

interface Config {
  clusters?: Record<string, number[]>
  /** Route table name to its routes. */
  tables?: Record<string, object[]>
  listeners?: object[]
  /** Layer name to its values. */
  runtime?: Record<string, object>
}

const edsCluster = (name: string): object => ({
  name,
  type: 'EDS',
  connect_timeout: '20s',
  eds_cluster_config: { eds_config: ADS },
})
const rdsListener = (name: string, table: string, port = 0, extra: object = {}): object =>
  listener(name, httpManager({ rds: { route_config_name: table, config_source: ADS } }, extra), port)
/** A filter that the proxy does not have. */
const LUA = { name: 'lua', typed_config: { '@type': `${TYPES}.http.lua.v3.Lua`, default_source_code: { inline_string: '' } } }
const to = (cluster: string): object => ({ match: { prefix: '/' }, route: { cluster } })

function resourceSet({ clusters = {}, tables = {}, listeners = [], runtime = {} }: Config): ResourceSet {
  const resources = new Map<string, readonly object[]>([
    [`${TYPE}.cluster.v3.Cluster`, Object.keys(clusters).map(edsCluster)],
    [`${TYPE}.endpoint.v3.ClusterLoadAssignment`, Object.entries(clusters).map(([name, ports]) => assignment(name, ports))],
    [`${TYPE}.listener.v3.Listener`, listeners],
    ['type.googleapis.com/envoy.service.runtime.v3.Runtime', Object.entries(runtime).map(([name, layer]) => ({ name, layer }))],
    [`${TYPE}.route.v3.RouteConfiguration`, Object.entries(tables).map(([name, list]) => ({ name, ...routes(list) }))],
  ])
  return { groups: [{ id: 'test', resources }] }
}

async function connect(port: number, apiType: string, more: object = {}): Promise<ProxyServer> {
  const proxy = createProxy({
    bootstrap: {
      ...more,
      node: { id: 'proxy-1', cluster: 'test' },
      admin: { address: socketAddress(0) },
      static_resources: {
        clusters: [{ name: 'xds', type: 'STATIC', connect_timeout: '20s', load_assignment: assignment('xds', [port]) }],
      },
      dynamic_resources: {
        lds_config: ADS,
        cds_config: ADS,
        ads_config: { api_type: apiType, transport_api_version: 'V3', grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] },
      },
    },
    drainTimeMs: 200,
  })
  await proxy.start()
  later(() => proxy.close())
  return proxy
}

const portOf = (proxy: ProxyServer, name = 'ingress'): number =>
  proxy.listeners.find((one) => one.name === name)?.address.port ?? 0
const ready = (proxy: ProxyServer): Promise<void> => until('the proxy is ready', () => proxy.ready.current)

describe.each(['DELTA_GRPC', 'GRPC'])('a proxy that takes orders over %s', (apiType) => {
  async function setUp(config: Config, more?: object) {
    const cache = createSnapshotCache()
    cache.set('proxy-1', resourceSet(config))
    const plane = await startControlPlane(cache)
    const proxy = await connect(plane.port, apiType, more)
    return { cache, plane, proxy }
  }

  it('comes up with clusters, endpoints, listeners and routes, and follows them without touching a socket', async () => {
    const one = await upstream((_, response) => response.end('one'))
    const two = await upstream((_, response) => response.end('two'))
    const config = { clusters: { one: [one], two: [two] }, listeners: [rdsListener('ingress', 'main')] }
    const { cache, proxy } = await setUp({ ...config, tables: { main: [to('one')] } })
    await ready(proxy)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    later(async () => agent.destroy())
    const port = portOf(proxy)
    expect((await ask(port, '/', { agent })).body).toBe('one')
    cache.set('proxy-1', resourceSet({ ...config, tables: { main: [to('two')] } }))
    await until('the new route obeys', async () => (await ask(port, '/', { agent })).body === 'two')
    cache.set('proxy-1', resourceSet({ ...config, clusters: { one: [one], two: [one] }, tables: { main: [to('two')] } }))
    await until('the new endpoints obey', async () => (await ask(port, '/', { agent })).body === 'one')
    expect(portOf(proxy)).toBe(port)
    const stats = (await ask(proxy.adminAddress?.port ?? 0, '/stats?filter=downstream_cx_total')).body
    expect(stats).toContain('http.ingress.downstream_cx_total: 1\n')
  })

  it('takes layers of its runtime, before anything else, and follows them', async () => {
    const [one, two] = [
      await upstream((_, response) => response.end('one')),
      await upstream((_, response) => response.end('two')),
    ]
    const runtime_fraction = { runtime_key: 'share.of.one', default_value: { numerator: 0 } }
    const first = { match: { prefix: '/', runtime_fraction }, route: { cluster: 'one' } }
    const config = {
      ...{ clusters: { one: [one], two: [two] }, listeners: [rdsListener('ingress', 'main')] },
      tables: { main: [first, to('two')] },
    }
    const layers = [
      { name: 'live', rtds_layer: { name: 'flags', rtds_config: ADS } },
      { name: 'admin', admin_layer: {} },
    ]
    const { cache, proxy } = await setUp(
      { ...config, runtime: { flags: { share: { of: { one: 100 } } } } },
      { layered_runtime: { layers } },
    )
    await ready(proxy)
    expect((await ask(portOf(proxy), '/')).body).toBe('one')
    cache.set('proxy-1', resourceSet({ ...config, runtime: { flags: {} } }))
    await until('the default holds again', async () => (await ask(portOf(proxy), '/')).body === 'two')
    cache.set('proxy-1', resourceSet({ ...config, runtime: { flags: { 'share.of.one': 100, other: 'x' } } }))
    await until('the new layer obeys', async () => (await ask(portOf(proxy), '/')).body === 'one')
    const admin = proxy.adminAddress?.port ?? 0
    await ask(admin, '/runtime_modify?share.of.one=0', { method: 'POST' })
    expect((await ask(portOf(proxy), '/')).body).toBe('two')
    expect(JSON.parse((await ask(admin, '/runtime')).body)).toMatchObject({
      layers: ['live', 'admin'],
      entries: { 'share.of.one': { layer_values: ['100', '0'], final_value: '0' }, other: { final_value: 'x' } },
    })
  })

  it('refuses a bad listener with its path, keeps the old one, and takes the good ones beside it', async () => {
    const web = await upstream((_, response) => response.end('web'))
    const config = { clusters: { web: [web] }, tables: { main: [to('web')] } }
    const { cache, plane, proxy } = await setUp({ ...config, listeners: [rdsListener('ingress', 'main')] })
    await ready(proxy)
    const port = portOf(proxy)
    const bad = rdsListener('ingress', 'main', 0, { http_filters: [LUA] })
    cache.set('proxy-1', resourceSet({ ...config, listeners: [bad, rdsListener('second', 'main')] }))
    await until('the server hears of the refusal', () => plane.events.some((event) => event.kind === 'nacked'))
    expect(JSON.stringify(plane.events.find((event) => event.kind === 'nacked'))).toMatch(
      /ingress: filter_chains\[0\]\.filters\[0\].*Lua/,
    )
    expect((await ask(port, '/')).body).toBe('web')
    await until('the second listener serves', () => portOf(proxy, 'second') > 0)
    expect((await ask(portOf(proxy, 'second'), '/')).body).toBe('web')
    const dump = JSON.stringify(proxy.configDump())
    expect(dump).toContain('error_state')
  })

  it('refuses a listener whose port is taken, and only that one', async () => {
    const web = await upstream((_, response) => response.end('web'))
    const config = { clusters: { web: [web] }, tables: { main: [to('web')] } }
    const { cache, plane, proxy } = await setUp({ ...config, listeners: [rdsListener('ingress', 'main')] })
    await ready(proxy)
    cache.set(
      'proxy-1',
      resourceSet({
        ...config,
        listeners: [rdsListener('ingress', 'main'), rdsListener('taken', 'main', web), rdsListener('free', 'main')],
      }),
    )
    await until('the server hears of the refusal', () => plane.events.some((event) => event.kind === 'nacked'))
    expect(JSON.stringify(plane.events)).toContain(`taken: cannot listen on 127.0.0.1:${web}`)
    await until('the free one serves', () => portOf(proxy, 'free') > 0)
    expect((await ask(portOf(proxy, 'free'), '/')).body).toBe('web')
  })

  it('closes a listener that is removed', async () => {
    const web = await upstream((_, response) => response.end('web'))
    const config = { clusters: { web: [web] }, tables: { main: [to('web')] } }
    const { cache, proxy } = await setUp({
      ...config,
      listeners: [rdsListener('ingress', 'main'), rdsListener('second', 'main')],
    })
    await ready(proxy)
    const port = portOf(proxy, 'second')
    expect((await ask(port, '/')).body).toBe('web')
    cache.set('proxy-1', resourceSet({ ...config, listeners: [rdsListener('ingress', 'main')] }))
    await until('the port refuses', () =>
      ask(port, '/').then(
        () => false,
        () => true,
      ),
    )
    expect((await ask(portOf(proxy), '/')).body).toBe('web')
  })

  it('serves on without its control plane, and follows the next one', async () => {
    const one = await upstream((_, response) => response.end('one'))
    const two = await upstream((_, response) => response.end('two'))
    const config = { clusters: { one: [one], two: [two] }, listeners: [rdsListener('ingress', 'main')] }
    const { cache, plane, proxy } = await setUp({ ...config, tables: { main: [to('one')] } })
    await ready(proxy)
    const port = portOf(proxy)
    let running = true
    const bodies: string[] = []
    const failures: unknown[] = []
    const load = (async () => {
      while (running)
        await ask(port, '/').then(
          (answer) => bodies.push(answer.body),
          (error) => failures.push(error),
        )
    })()
    await plane.close()
    await until('the stream is gone', () => proxy.xds?.connected === false)
    const before = bodies.length
    await until('requests go on', () => bodies.length > before + 20)
    cache.set('proxy-1', resourceSet({ ...config, tables: { main: [to('two')] } }))
    const next = await startControlPlane(cache, plane.port)
    await until('the new control plane is obeyed', () => bodies.at(-1) === 'two')
    running = false
    await load
    expect(failures).toEqual([])
    expect(new Set(bodies)).toEqual(new Set(['one', 'two']))
    expect(next.events.some((event) => event.kind === 'nacked')).toBe(false)
    expect(proxy.xds?.connected).toBe(true)
  })
})
