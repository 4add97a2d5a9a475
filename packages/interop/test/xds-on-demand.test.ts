import { systemClock } from '@heddle/runtime'
import {
  createOnDemandCache,
  createSnapshotCache,
  createXdsServer,
  firstLookup,
  muxWatches,
  type XdsEvent,
} from '@heddle/xds-server'
import { type GrpcXdsServer, listenGrpc } from '@heddle/xds-server/grpc'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../src/app.js'
import { type Caller, createCaller } from '../src/call.js'
import { describeCell } from '../src/cell.js'
import { ADMIN, dynamicResources, grpcCluster } from '../src/data-plane.js'
import { ADS, manager, ROUTER, TYPES } from '../src/edge-scene.js'
import { startEnvoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { startReadyProxy } from '../src/ready-proxy.js'
import { findEnvoy, labelOf, type Tool } from '../src/tools.js'

// Routes, hosts and filter configs that come one by one (SRDS, VHDS, ECDS; xds-protocol 47 and 74), to Envoy and to our proxy alike: the
// server looks for a virtual host only when a request for it has come.
const VHDS = 'type.googleapis.com/envoy.config.route.v3.VirtualHost'
const SRDS = 'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration'
const EXTENSION = 'type.googleapis.com/envoy.extensions'
const FAULT = `${EXTENSION}.filters.http.fault.v3.HTTPFault`
const NODE = 'edge'
const TIMEOUT_MS = 60_000

interface Plane {
  readonly name: string
  readonly tool?: Tool
  start(bootstrap: object): Promise<Running>
}

interface Running {
  /** `host:port` of the admin page. */
  readonly admin: string
  close(): Promise<void>
}

const tool = findEnvoy()
const planes: readonly Plane[] = [
  { name: labelOf(tool), tool, start: (bootstrap) => startEnvoy(tool, bootstrap) },
  {
    name: '@heddle/proxy-core',
    async start(bootstrap) {
      const { proxy } = await startReadyProxy({ bootstrap: { admin: ADMIN, ...bootstrap }, drainTimeMs: 100 })
      return { admin: `127.0.0.1:${proxy.adminAddress?.port}`, close: proxy.close }
    },
  },
]

for (const { name, tool, start } of planes) {
  const cell = { controlPlane: '@heddle/xds-server, Delta ADS', dataPlane: `${name} on demand` }
  describeCell(tool === undefined ? cell : { ...cell, tool }, () => {
    const cache = createSnapshotCache()
    const asked: string[] = []
    const nacks: XdsEvent[] = []
    const hosts = createOnDemandCache({
      typeUrl: VHDS,
      clock: systemClock,
      async resolve({ name }) {
        asked.push(name)
        const host = name.slice(name.lastIndexOf('/') + 1)
        return host === 'nobody' ? undefined : namedHost(name, host)
      },
    })
    const clusters = createOnDemandCache({
      typeUrl: TYPES.cds,
      clock: systemClock,
      async resolve({ name }) {
        asked.push(name)
        return name === 'late' ? toPort(name, app.port) : undefined
      },
    })
    const server = createXdsServer({
      resources: (node) => muxWatches([cache.watch(node.id), hosts.cache.watch, clusters.cache.watch]),
      lookup: firstLookup([hosts.lookup, clusters.lookup]),
    })
    server.subscribe((event) => void (event.kind === 'nacked' && nacks.push(event)))
    let ports: readonly number[] = []
    let app: App
    let listener: GrpcXdsServer
    let running: Running | undefined
    let callers: readonly Caller[] = []

    const publish = (wish: Partial<Wish>): void =>
      cache.set(NODE, {
        groups: [{ id: 'edge', resources: new Map(Object.entries(edge({ ...WISH, ...wish }, ports, app.port))) }],
      })

    const page = async (path: string): Promise<string> => (await fetch(`http://${running?.admin}${path}`)).text()
    const stats = async (prefix: string, names: readonly string[]): Promise<(number | undefined)[]> => {
      const lines = new Map((await page('/stats')).split('\n').map((line) => line.split(': ') as [string, string]))
      return names.map((name) => lines.get(`${prefix}.${name}`)).map((value) => (value === undefined ? value : Number(value)))
    }

    beforeAll(async () => {
      app = await startApp('app')
      ports = await freePorts(3)
      publish({})
      listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 500 })
      running = await start({
        node: { id: NODE, cluster: 'edge' },
        dynamic_resources: dynamicResources('DELTA_GRPC', 'xds'),
        static_resources: { clusters: [grpcCluster('xds', `127.0.0.1:${listener.port}`)] },
      })
      callers = ports.map(createCaller)
    }, TIMEOUT_MS)

    afterAll(async () => {
      for (const caller of callers) caller.close()
      await running?.close()
      await listener?.close()
      await app?.close()
    }, TIMEOUT_MS)

    test(
      'the first request waits for its host and is served; an unknown host is a 404 at once; each is looked for once',
      async () => {
        const caller = callers[0]!
        const first = await eventually(
          () => caller.call('shop'),
          () => true,
        )
        expect(first).toEqual({ status: 200, body: 'app' })
        expect(await caller.call('Nobody')).toMatchObject({ status: 404 })
        expect(await caller.spread('shop', 20)).toEqual({ app: 20 })
        expect(asked.filter((name) => /shop|nobody/.test(name))).toEqual(['routes/shop', 'routes/nobody'])
      },
      TIMEOUT_MS,
    )

    test(
      'a cluster that no one had yet comes with the first request for it; one that does not exist is a 503',
      async () => {
        const caller = callers[0]!
        expect(await caller.call('cluster-late')).toEqual({ status: 200, body: 'app' })
        expect(await caller.call('cluster-nowhere')).toMatchObject({ status: 503 })
        expect(await caller.spread('cluster-late', 10)).toEqual({ app: 10 })
        expect(asked.filter((name) => !name.includes('/'))).toEqual(['late', 'nowhere'])
      },
      TIMEOUT_MS,
    )

    test(
      'scopes choose routes by a header: known ones, those asked for by the first request, those in the scope itself',
      async () => {
        const status = async (tenant: string): Promise<number> =>
          (await callers[1]!.call('any', '/', tenant === '' ? {} : { 'x-tenant': `env=test;tenant=${tenant}` })).status
        nacks.length = 0
        expect(await Promise.all(['eager', 'lazy', 'inline', 'unknown', ''].map(status))).toEqual([200, 200, 200, 404, 404])
        publish({ scopes: [...WISH.scopes.slice(1), scope('late', { route_configuration_name: 'lazy' })] })
        await eventually(
          () => status('late'),
          (got) => got === 200,
        )
        expect(await status('eager')).toBe(404)
        expect(nacks).toEqual([])
        const counted = ['all_scopes', 'active_scopes', 'on_demand_scopes']
        expect(await stats('http.edge.scoped_rds.tenants', counted)).toEqual([3, 2, 1])
        const dumped = JSON.parse(await page('/config_dump?resource=dynamic_scoped_route_configs')) as Dump
        const { name, scoped_route_configs: scopes = [] } = dumped.configs[0] ?? {}
        expect([name, scopes.map((scope) => scope.name).sort()]).toEqual(['tenants', ['inline', 'late', 'lazy']])
        publish({ scopes: [...WISH.scopes, { ...scope('lazy', { route_configuration_name: 'eager' }), name: 'twin' }] })
        await eventually(
          () => nacks.length,
          (count) => count === 1,
        )
        expect(nacks[0]).toMatchObject({ typeUrl: SRDS, error: { message: expect.stringMatching(/key/) } })
        expect(await status('lazy')).toBe(200)
        publish({})
      },
      TIMEOUT_MS,
    )

    test(
      'the config of a filter comes and changes by itself; of a wrong type it is refused, taken back it is missed',
      async () => {
        const status = async (): Promise<number> => (await callers[2]!.call('any', '/', { 'x-teapot': '1' })).status
        const becomes = (wanted: number): Promise<number> => eventually(status, (got) => got === wanted)
        const counted = ['config_reload', 'config_fail', 'config_conflict']
        const teapots = (): ReturnType<typeof stats> => stats('extension_config_discovery.http_filter.teapot', counted)
        await becomes(418)
        const before = await teapots()
        nacks.length = 0
        publish({ teapot: fault(410) })
        await becomes(410)
        publish({ teapot: { '@type': `${EXTENSION}.filters.http.cors.v3.Cors` } })
        await eventually(
          () => nacks.length,
          (count) => count === 1,
        )
        expect(nacks[0]).toMatchObject({ typeUrl: TYPES.ecds, error: { message: expect.stringMatching(/HTTPFault/) } })
        expect(await status()).toBe(410)
        const dumped = JSON.parse(await page('/config_dump?resource=ecds_filters')) as Dump
        expect(dumped.configs[0]?.ecds_filter).toMatchObject({ name: 'teapot', typed_config: { abort: { http_status: 410 } } })
        publish({ teapot: undefined })
        await becomes(500)
        publish({})
        await becomes(418)
        expect((await teapots()).map((value = 0, i) => value - (before[i] ?? 0))).toEqual([3, 1, 0])
      },
      TIMEOUT_MS,
    )
  })
}

interface Dump {
  readonly configs: readonly {
    readonly name?: string
    readonly scoped_route_configs?: readonly { readonly name: string }[]
    readonly ecds_filter?: object
  }[]
}

interface Wish {
  readonly scopes: readonly object[]
  readonly teapot: object | undefined
}

const toApp = (name: string, cluster = 'app'): object => ({
  name,
  domains: ['*'],
  routes: [{ match: { prefix: '/' }, route: { cluster } }],
})
const address = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })

function toPort(name: string, port: number): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }]
  return { name, type: 'STATIC', connect_timeout: '5s', load_assignment: { cluster_name: name, endpoints } }
}

function scope(key: string, more: object): object {
  return { name: key, key: { fragments: [{ string_key: key }] }, ...more }
}

function fault(http_status: number): object {
  return {
    '@type': FAULT,
    abort: { http_status, percentage: { numerator: 100 } },
    headers: [{ name: 'x-teapot', present_match: true }],
  }
}

const WISH: Wish = {
  scopes: [
    scope('eager', { route_configuration_name: 'eager' }),
    scope('lazy', { on_demand: true, route_configuration_name: 'lazy' }),
    scope('inline', { route_configuration: { name: 'inline', virtual_hosts: [toApp('inline')] } }),
  ],
  teapot: fault(418),
}

function namedHost(name: string, host: string): object {
  return {
    '@type': 'type.googleapis.com/envoy.service.discovery.v3.Resource',
    name,
    aliases: [name],
    resource: { '@type': VHDS, ...toApp(name, /^cluster-(.*)/.exec(host)?.[1]), domains: [host] },
  }
}

function edge({ scopes, teapot }: Wish, ports: readonly number[], appPort: number): Record<string, readonly object[]> {
  const odcds = { source: ADS, timeout: '5s' }
  const onDemand = { name: 'on-demand', typed_config: { '@type': `${EXTENSION}.filters.http.on_demand.v3.OnDemand`, odcds } }
  const tenant = { name: 'x-tenant', element_separator: ';', element: { key: 'tenant', separator: '=' } }
  const scoped_routes = {
    name: 'tenants',
    scope_key_builder: { fragments: [{ header_value_extractor: tenant }] },
    rds_config_source: ADS,
    scoped_rds: { scoped_rds_config_source: ADS },
  }
  const managers = [
    manager({ http_filters: [onDemand, ROUTER] }),
    manager({ rds: undefined, scoped_routes, http_filters: [onDemand, ROUTER] }),
    manager({ rds: { route_config_name: 'eager', config_source: ADS } }),
  ]
  return {
    [TYPES.cds]: [toPort('app', appPort)],
    [TYPES.lds]: managers.map((filter, i) => ({
      name: `edge-${i}`,
      address: address(ports[i] ?? 0),
      filter_chains: [{ filters: [filter] }],
    })),
    [TYPES.rds]: [
      // Envoy does not take an empty answer for one: without hosts it waits for so long.
      { name: 'routes', vhds: { config_source: { ...ADS, initial_fetch_timeout: '0.5s' } } },
      { name: 'eager', virtual_hosts: [toApp('eager')] },
      { name: 'lazy', virtual_hosts: [toApp('lazy')] },
    ],
    [SRDS]: scopes,
    [TYPES.ecds]: teapot === undefined ? [] : [{ name: 'teapot', typed_config: teapot }],
  }
}
