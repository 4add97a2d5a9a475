import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, startApp } from '../src/app.js'
import { type Caller, createCaller } from '../src/call.js'
import { describeCell } from '../src/cell.js'
import type { AdsVariant, DataPlane } from '../src/data-plane.js'
import { envoy } from '../src/envoy.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { heddleProxy } from '../src/heddle-proxy.js'
import { gateway, service, sidecar, virtualService, weights, workloadEntry } from '../src/kinds.js'
import { createInteropMesh, type InteropMesh } from '../src/mesh.js'
import { findEnvoy, type Tool } from '../src/tools.js'

// The same orders to each data plane, and the same requests through it: no check knows who it is asking.
const CLIENT = { app: 'client' }
const EDGE = { istio: 'ingressgateway' }
const VERSIONS = ['v1', 'v2'] as const
const TYPES = ['Cluster', 'ClusterLoadAssignment', 'Listener', 'RouteConfiguration']
const TIMEOUT_MS = 90_000

const tool = findEnvoy()
const CELLS: readonly { variant: AdsVariant; dataPlane: DataPlane; tool?: Tool }[] = [
  { variant: 'DELTA_GRPC', dataPlane: envoy(tool), tool },
  { variant: 'GRPC', dataPlane: envoy(tool), tool },
  { variant: 'DELTA_GRPC', dataPlane: heddleProxy },
  { variant: 'GRPC', dataPlane: heddleProxy },
]

for (const { variant, dataPlane, tool } of CELLS) {
  const controlPlane = `@heddle/mesh, ${variant === 'GRPC' ? 'SotW' : 'Delta'} ADS`
  describeCell({ controlPlane, dataPlane: dataPlane.name, ...(tool === undefined ? {} : { tool }) }, () =>
    checks(dataPlane, variant),
  )
}

function checks(dataPlane: DataPlane, variant: AdsVariant): void {
  const apps: App[] = []
  let mesh: InteropMesh
  let outbound: Caller
  let edge: Caller
  let inbound: Caller

  const route = (shares: Record<string, number>): void =>
    mesh.write('shop-route.yaml', virtualService('shop', 'shop', [weights(shares)]))

  beforeAll(async () => {
    mesh = await createInteropMesh()
    apps.push(await startApp('v1'), await startApp('v2'), await startApp('v3'), await startApp('client'))
    const [httpProxyPort = 0, inboundPort = 0, edgePort = 0] = await freePorts(3)
    outbound = createCaller(httpProxyPort)
    inbound = createCaller(inboundPort)
    edge = createCaller(edgePort)
    mesh.write('apps.yaml', service('shop', { app: 'shop' }), ...versionsOf(apps))
    mesh.write(
      'client.yaml',
      workloadEntry('client', { labels: CLIENT, port: inboundPort }),
      sidecar('client', CLIENT, inboundPort, portOf(apps, 'client')),
    )
    mesh.write(
      'edge.yaml',
      service('ingressgateway', EDGE, 8080),
      workloadEntry('edge', { labels: EDGE, port: edgePort }),
      gateway('edge', EDGE, 'shop.example'),
      virtualService('from-outside', 'shop.example', [weights({ v1: 100 })], ['edge']),
    )
    route({ v1: 90, v2: 10 })
    await mesh.start(dataPlane, { name: 'client', labels: CLIENT, httpProxyPort, variant })
    await mesh.start(dataPlane, { name: 'edge', type: 'router', labels: EDGE, variant })
  }, TIMEOUT_MS)

  afterAll(async () => {
    for (const caller of [outbound, edge, inbound]) caller?.close()
    await mesh?.close()
    await Promise.all(apps.map((app) => app.close()))
  }, TIMEOUT_MS)

  const serves = (caller: Caller, host: string, body: string): Promise<unknown> =>
    eventually(
      () => caller.call(host),
      (answer) => answer.status === 200 && answer.body === body,
    )

  /** So many calls that no other share would do the same by chance. */
  const allGoTo = (name: string): Promise<unknown> =>
    eventually(
      () => outbound.spread('shop', 100),
      (found) => found[name] === 100,
    )

  test(
    'takes listeners, routes, clusters and endpoints',
    async () => {
      for (const name of ['client', 'edge'])
        await eventually(
          () => mesh.accepted(name),
          (types) => TYPES.every((type) => types.includes(type)),
        )
      expect(mesh.refusals).toEqual([])
    },
    TIMEOUT_MS,
  )

  test(
    'splits by weight, 90 to 10',
    async () => {
      route({ v1: 90, v2: 10 })
      await eventually(
        () => outbound.spread('shop', 400),
        ({ v1 = 0, v2 = 0, ...others }) => v1 > 320 && v2 > 10 && Object.keys(others).length === 0,
      )
    },
    TIMEOUT_MS,
  )

  test(
    'answers to the short and the full names of a service',
    async () => {
      for (const host of ['v2', 'v2.shop', 'v2.shop.svc.cluster.local', 'v2.shop:80'])
        expect(await outbound.call(host)).toEqual({ status: 200, body: 'v2' })
    },
    TIMEOUT_MS,
  )

  test(
    'retries, and counts the attempts',
    async () => {
      mesh.write(
        'v1-route.yaml',
        virtualService('v1', 'v1', [{ ...weights({ v1: 100 }), retries: { attempts: 3, retryOn: '5xx' } }]),
      )
      let key = 0
      await eventually(
        () => outbound.call('v1', `/flaky?times=3&key=${++key}`),
        ({ status }) => status === 200,
      )
      expect(apps[0]?.lastHeaders['x-envoy-attempt-count']).toBe('4')
      expect((await outbound.call('v1', '/flaky?times=4&key=more')).status).toBe(503)
    },
    TIMEOUT_MS,
  )

  test(
    'matches headers',
    async () => {
      const beta = { match: [{ headers: { tier: { exact: 'beta' } } }], ...weights({ v2: 100 }) }
      mesh.write('shop-route.yaml', virtualService('shop', 'shop', [beta, weights({ v1: 100 })]))
      // Both, since what was there before may do the one already.
      await eventually(
        async () => [await outbound.spread('shop', 10, { tier: 'beta' }), await outbound.spread('shop', 10)],
        ([tagged, plain]) => tagged?.['v2'] === 10 && plain?.['v1'] === 10,
      )
      expect(await outbound.spread('shop', 30)).toEqual({ v1: 30 })
      expect((await outbound.call('shop', '/', { tier: 'betamax' })).body).toBe('v1')
    },
    TIMEOUT_MS,
  )

  test(
    'follows a change of routes under load, without one failure',
    async () => {
      route({ v1: 100 })
      await allGoTo('v1')
      let calling = true
      const load = (async () => {
        const all: Record<string, number> = {}
        while (calling)
          for (const [body, count] of Object.entries(await outbound.spread('shop', 20))) all[body] = (all[body] ?? 0) + count
        return all
      })()
      route({ v2: 100 })
      await allGoTo('v2')
      calling = false
      expect(Object.keys(await load).every((body) => body === 'v1' || body === 'v2')).toBe(true)
    },
    TIMEOUT_MS,
  )

  test(
    'follows endpoints that come and go',
    async () => {
      route({ v2: 100 })
      await allGoTo('v2')
      const third = workloadEntry('v3', { labels: { app: 'shop', version: 'v2' }, port: portOf(apps, 'v3') })
      mesh.write('v3.yaml', third)
      await serves(outbound, 'shop', 'v3')
      mesh.remove('v3.yaml')
      await allGoTo('v2')
    },
    TIMEOUT_MS,
  )

  test(
    'follows services that come and go',
    async () => {
      mesh.write(
        'v3.yaml',
        service('v3', { app: 'new' }),
        workloadEntry('v3', { labels: { app: 'new' }, port: portOf(apps, 'v3') }),
      )
      await serves(outbound, 'v3.shop', 'v3')
      mesh.remove('v3.yaml')
      await eventually(
        () => outbound.call('v3.shop'),
        ({ status }) => status !== 200,
      )
    },
    TIMEOUT_MS,
  )

  test(
    'takes requests for its app',
    async () => {
      await serves(inbound, 'client', 'client')
    },
    TIMEOUT_MS,
  )

  test(
    'serves a Gateway by Host',
    async () => {
      await serves(edge, 'shop.example', 'v1')
      expect((await edge.call('other.example')).status).toBe(404)
    },
    TIMEOUT_MS,
  )

  test(
    'serves on without a control plane, and follows the next one',
    async () => {
      route({ v2: 100 })
      await allGoTo('v2')
      await mesh.replaceControlPlane(async () => {
        expect(await outbound.spread('shop', 20)).toEqual({ v2: 20 })
        route({ v1: 100 })
      })
      await allGoTo('v1')
      await serves(edge, 'shop.example', 'v1')
    },
    TIMEOUT_MS,
  )

  test('has refused nothing', () => expect(mesh.refusals).toEqual([]))
}

function versionsOf(apps: readonly App[]): ReturnType<typeof service>[] {
  return VERSIONS.flatMap((version) => {
    const labels = { app: 'shop', version }
    return [service(version, labels), workloadEntry(version, { labels, port: portOf(apps, version) })]
  })
}

function portOf(apps: readonly App[], name: string): number {
  return apps.find((app) => app.name === name)?.port ?? 0
}
