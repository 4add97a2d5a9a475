import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createProxy, createSnapshotFile, type ProxyServer } from '../src/index.js'
import { startControlPlane } from './control-plane.js'
import { ask, assignment, httpManager, later, listener, socketAddress, TYPES, until } from './support.js'

const ADS = { ads: {}, resource_api_version: 'V3' }
const TYPE = 'type.googleapis.com/envoy.config'
const RESOURCE = 'type.googleapis.com/envoy.service.discovery.v3.Resource'

const reply = (name: string, status: number) => ({
  name,
  domains: [name],
  routes: [{ match: { prefix: '/' }, direct_response: { status } }],
})
const host = (name: string, status: number) => ({
  ...{ '@type': RESOURCE, name: `main/${name}`, aliases: [`main/${name}`] },
  resource: { '@type': `${TYPE}.route.v3.VirtualHost`, ...reply(name, status) },
})
const discovered = { config_source: ADS, type_urls: [`${TYPES}.http.header_mutation.v3.HeaderMutation`] }
const filters = [
  { name: 'headers', config_discovery: discovered },
  { name: 'on-demand', typed_config: { '@type': `${TYPES}.http.on_demand.v3.OnDemand` } },
  { name: 'router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } },
]
const append = { header: { key: 'x-filter', value: 'ecds' } }

function resources(status: number) {
  const scope = { name: 'all', key: { fragments: [{ string_key: 'a' }] }, on_demand: true, route_configuration_name: 'main' }
  const scoped_routes = {
    name: 'tenants',
    scope_key_builder: { fragments: [{ header_value_extractor: { name: 'x-tenant', index: 0 } }] },
    rds_config_source: ADS,
    scoped_rds: { scoped_rds_config_source: ADS },
  }
  const headers = { '@type': discovered.type_urls[0], mutations: { response_mutations: [{ append }] } }
  const version = { header: { key: 'x-routes', value: String(status) } }
  const all = new Map<string, readonly object[]>([
    [`${TYPE}.listener.v3.Listener`, [listener('ingress', httpManager({ scoped_routes }, { http_filters: filters }))]],
    [`${TYPE}.route.v3.ScopedRouteConfiguration`, [scope]],
    [`${TYPE}.route.v3.RouteConfiguration`, [{ name: 'main', vhds: { config_source: ADS }, response_headers_to_add: [version] }]],
    [`${TYPE}.route.v3.VirtualHost`, [host('shop', status)]],
    [`${TYPE}.core.v3.TypedExtensionConfig`, [{ name: 'headers', typed_config: headers }]],
  ])
  return { groups: [{ id: 'edge', resources: all }] }
}

async function start(planePort: number, snapshot: string): Promise<ProxyServer> {
  const ads_config = {
    api_type: 'DELTA_GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
  }
  const clusters = [{ name: 'xds', type: 'STATIC', connect_timeout: '20s', load_assignment: assignment('xds', [planePort]) }]
  const proxy = createProxy({
    bootstrap: {
      node: { id: 'proxy-1', cluster: 'edge' },
      admin: { address: socketAddress(0) },
      static_resources: { clusters },
      dynamic_resources: { lds_config: ADS, ads_config },
    },
    drainTimeMs: 100,
    snapshot: createSnapshotFile(snapshot),
  })
  await proxy.start()
  later(() => proxy.close())
  await until('the proxy is ready', () => proxy.ready.current)
  return proxy
}

it('what came on demand is kept: without its control plane a proxy starts with the scopes, hosts and filters it had, and follows them again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-on-demand-'))
  later(async () => rmSync(folder, { recursive: true }))
  const snapshot = join(folder, 'proxy-1.snapshot')
  const plane = await startControlPlane()
  plane.cache.set('proxy-1', resources(201))
  const shop = async (proxy: ProxyServer) => {
    const { status, headers } = await ask(proxy.listeners[0]?.address.port ?? 0, '/', {
      headers: { host: 'Shop', 'x-tenant': 'a' },
    })
    return [status, headers['x-filter'], headers['x-routes']]
  }
  const first = await start(plane.port, snapshot)
  expect(await shop(first)).toEqual([201, 'ecds', '201'])
  await until('the host is kept', () => (statSync(snapshot, { throwIfNoEntry: false })?.size ?? 0) > 0)
  await first.close()
  await plane.close()

  const second = await start(plane.port, snapshot)
  expect(await shop(second)).toEqual([201, 'ecds', '201'])
  const back = await startControlPlane(plane.cache, plane.port)
  plane.cache.set('proxy-1', resources(202))
  await until('it follows again', async () => (await shop(second)).join() === '202,ecds,202')
  expect(back.events.filter(({ kind }) => kind === 'nacked')).toEqual([])
})
