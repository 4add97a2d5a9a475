import { systemClock } from '@heddle/runtime'
import { createOnDemandCache, createSnapshotCache, createXdsServer, muxWatches } from '@heddle/xds-server'
import { type GrpcXdsServer, listenGrpc } from '@heddle/xds-server/grpc'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../src/app.js'
import { type Caller, createCaller } from '../src/call.js'
import { describeCell } from '../src/cell.js'
import { dynamicResources, grpcCluster } from '../src/data-plane.js'
import { ADS, manager, ROUTER, TYPES } from '../src/edge-scene.js'
import { type RunningEnvoy, startEnvoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { findEnvoy, labelOf } from '../src/tools.js'

// Envoy asks for a virtual host when a request for it comes (VHDS, xds-protocol 47 and 74), and the server looks for it only then.
const VHDS = 'type.googleapis.com/envoy.config.route.v3.VirtualHost'
const EXTENSION = 'type.googleapis.com/envoy.extensions'
const NODE = 'edge'
const TIMEOUT_MS = 60_000
const tool = findEnvoy()

describeCell({ controlPlane: '@heddle/xds-server, Delta ADS', dataPlane: `${labelOf(tool)} on demand`, tool }, () => {
  const cache = createSnapshotCache()
  const asked: string[] = []
  const hosts = createOnDemandCache({
    typeUrl: VHDS,
    clock: systemClock,
    async resolve({ name }) {
      asked.push(name)
      const host = name.slice(name.lastIndexOf('/') + 1)
      return host === 'nobody' ? undefined : virtualHost(name, host)
    },
  })
  const server = createXdsServer({
    resources: (node) => muxWatches([cache.watch(node.id), hosts.cache.watch]),
    lookup: hosts.lookup,
  })
  let app: App
  let listener: GrpcXdsServer
  let running: RunningEnvoy
  let caller: Caller

  beforeAll(async () => {
    app = await startApp('app')
    const [port = 0] = await freePorts(1)
    cache.set(NODE, { groups: [{ id: 'edge', resources: new Map(Object.entries(edge(port, app.port))) }] })
    listener = await listenGrpc(server, { address: '127.0.0.1:0', drainMs: 500 })
    running = await startEnvoy(tool, {
      node: { id: NODE, cluster: 'edge' },
      dynamic_resources: dynamicResources('DELTA_GRPC', 'xds'),
      static_resources: { clusters: [grpcCluster('xds', `127.0.0.1:${listener.port}`)] },
    })
    caller = createCaller(port)
  }, TIMEOUT_MS)

  afterAll(async () => {
    caller?.close()
    await running?.close()
    await listener?.close()
    await app?.close()
  }, TIMEOUT_MS)

  test(
    'the first request waits for its host and is served; an unknown host is a 404 at once; each is looked for once',
    async () => {
      const first = await eventually(
        () => caller.call('shop'),
        () => true,
      )
      expect(first).toEqual({ status: 200, body: 'app' })
      expect(await caller.call('nobody')).toMatchObject({ status: 404 })
      expect(await caller.spread('shop', 20)).toEqual({ app: 20 })
      expect(asked).toEqual(['routes/shop', 'routes/nobody'])
    },
    TIMEOUT_MS,
  )
})

function virtualHost(name: string, host: string): object {
  return {
    '@type': 'type.googleapis.com/envoy.service.discovery.v3.Resource',
    name,
    aliases: [name],
    resource: { '@type': VHDS, name, domains: [host], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] },
  }
}

function edge(port_value: number, appPort: number): Record<string, object[]> {
  const onDemand = { name: 'on-demand', typed_config: { '@type': `${EXTENSION}.filters.http.on_demand.v3.OnDemand` } }
  const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } })
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(appPort) } }] }]
  return {
    [TYPES.cds]: [{ name: 'app', type: 'STATIC', connect_timeout: '5s', load_assignment: { cluster_name: 'app', endpoints } }],
    [TYPES.lds]: [
      {
        name: 'edge',
        address: address(port_value),
        filter_chains: [{ filters: [manager({ http_filters: [onDemand, ROUTER] })] }],
      },
    ],
    [TYPES.rds]: [{ name: 'routes', vhds: { config_source: ADS } }],
  }
}
