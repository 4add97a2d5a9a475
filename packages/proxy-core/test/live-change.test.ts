import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ResourceSet } from '@heddle/xds-types'
import { describe, expect, it } from 'vitest'
import { createProxy, createSnapshotFile, type ProxyServer } from '../src/index.js'
import { startControlPlane } from './control-plane.js'
import { type App, type LoadReport, startApp, startLoad } from './live-load.js'
import { ask, assignment, httpManager, later, listener, routes, socketAddress, until } from './support.js'

/** Everything that changes while a load generator of another process, which never repeats a request, looks on. HEDDLE_SOAK plays the long form. */

const soak = process.env['HEDDLE_SOAK'] !== undefined
const RATE = soak ? 2_000 : 200
const ADS = { ads: {}, resource_api_version: 'V3' }
const TYPE = 'type.googleapis.com/envoy.config'
// As Istio's default: another endpoint than those that failed.
const RETRY = {
  retry_on: 'connect-failure,refused-stream,reset',
  num_retries: 3,
  retry_back_off: { base_interval: '0.005s' },
  retry_host_predicate: [{ name: 'envoy.retry_host_predicates.previous_hosts' }],
  host_selection_retry_max_attempts: '5',
}

interface Config {
  readonly version: number
  readonly ports: readonly number[]
  /** Changes of a listener, a cluster that mean nothing to a request. */
  readonly server?: string
  readonly connectTimeout?: string
  readonly port?: number
}

function resources({ version, ports, server = 'heddle', connectTimeout = '20s', port = 0 }: Config): ResourceSet {
  const manager = httpManager({ rds: { route_config_name: 'main', config_source: ADS } }, { server_name: server })
  const table = {
    name: 'main',
    ...routes([{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s', retry_policy: RETRY } }]),
    response_headers_to_add: [{ header: { key: 'x-version', value: String(version) } }],
  }
  const cluster = {
    name: 'app',
    type: 'EDS',
    connect_timeout: connectTimeout,
    eds_cluster_config: { eds_config: ADS },
    // As Istio's default: Envoy's own is three retries at once.
    circuit_breakers: { thresholds: [{ max_retries: 1_000 }] },
  }
  const all = new Map<string, readonly object[]>([
    [`${TYPE}.cluster.v3.Cluster`, [cluster]],
    [`${TYPE}.endpoint.v3.ClusterLoadAssignment`, [assignment('app', ports)]],
    [`${TYPE}.listener.v3.Listener`, [listener('ingress', manager, port)]],
    [`${TYPE}.route.v3.RouteConfiguration`, [table]],
  ])
  return { groups: [{ id: 'drill', resources: all }] }
}

const bootstrap = (planePort: number): object => ({
  node: { id: 'proxy-1', cluster: 'drill' },
  static_resources: {
    clusters: [{ name: 'xds', type: 'STATIC', connect_timeout: '20s', load_assignment: assignment('xds', [planePort]) }],
  },
  admin: { address: socketAddress(0) },
  dynamic_resources: {
    lds_config: ADS,
    cds_config: ADS,
    ads_config: { api_type: 'DELTA_GRPC', transport_api_version: 'V3', grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] },
  },
})

async function start(planePort: number, options: { snapshot?: string } = {}): Promise<ProxyServer> {
  const { snapshot } = options
  const proxy = createProxy({
    bootstrap: bootstrap(planePort),
    drainTimeMs: 30_000,
    ...(snapshot !== undefined && { snapshot: createSnapshotFile(snapshot) }),
  })
  await proxy.start()
  later(() => proxy.close())
  await until('the proxy is ready', () => proxy.ready.current)
  return proxy
}

const portOf = (proxy: ProxyServer): number => proxy.listeners[0]?.address.port ?? 0
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const apps = async (count: number): Promise<App[]> => Promise.all(Array.from({ length: count }, startApp))

/** Nothing failed, and something of every kind was there. */
function expectWhole(report: LoadReport, least: number): void {
  expect(report).toMatchObject({ resets: [], truncated: [], wrong: [], ok: report.sent })
  expect(report.sent).toBeGreaterThan(least)
  expect(report.posts).toBeGreaterThan(least / 10)
  expect(report.streams).toBeGreaterThan(0)
}

describe('under load without client retries', () => {
  const PUSHES = soak ? 1_000 : 30

  it(`${PUSHES} pushes of listeners, routes, clusters and endpoints at 10 a second lose nothing`, {
    timeout: 300_000,
  }, async () => {
    const [a, b, c] = (await apps(3)).map(({ port }) => port) as [number, number, number]
    const plane = await startControlPlane()
    plane.cache.set('proxy-1', resources({ version: 0, ports: [a, b, c] }))
    const proxy = await start(plane.port)
    const load = await startLoad(portOf(proxy), RATE)
    for (let push = 1; push <= PUSHES; push++) {
      const config = {
        version: push,
        ports: [
          [a, b, c],
          [a, b],
          [b, c],
          [c, a],
        ][push % 4]!,
        server: `heddle-${Math.floor(push / 2)}`,
        connectTimeout: `${20 + (Math.floor(push / 3) % 3)}s`,
      }
      plane.cache.set('proxy-1', resources(config))
      await wait(100)
    }
    const report = await load.end()
    expectWhole(report, (RATE * PUSHES) / 20)
    expect(report.versions).toBeGreaterThan(PUSHES / 3)
    expect(plane.events.filter(({ kind }) => kind === 'nacked')).toEqual([])
  })

  it('one upstream of three dies again and again: only streams that had begun are cut', { timeout: 300_000 }, async () => {
    const three = await apps(3)
    const plane = await startControlPlane()
    plane.cache.set('proxy-1', resources({ version: 1, ports: three.map(({ port }) => port) }))
    const proxy = await start(plane.port)
    const load = await startLoad(portOf(proxy), RATE)
    for (let death = 0; death < (soak ? 12 : 4); death++) {
      await wait(soak ? 4_000 : 400)
      const app = three[death % 3]!
      await app.kill()
      await wait(soak ? 1_000 : 300)
      await app.restart()
    }
    const { resets, truncated, wrong, ok, sent } = await load.end()
    expect({ resets, wrong, others: truncated.filter((line) => !line.startsWith('stream ')) }).toEqual({
      resets: [],
      wrong: [],
      others: [],
    })
    expect(ok + truncated.length).toBe(sent)
    expect(sent).toBeGreaterThan(RATE)
  })

  it('draining answers everything that was sent', { timeout: 60_000 }, async () => {
    const [app] = await apps(1)
    const plane = await startControlPlane()
    plane.cache.set('proxy-1', resources({ version: 1, ports: [app!.port] }))
    const proxy = await start(plane.port)
    const load = await startLoad(portOf(proxy), RATE)
    await wait(soak ? 10_000 : 1_500)
    // As when a pod has left its Service: nobody is sent here any more, while long streams are under way.
    await load.calm()
    await proxy.drain()
    expectWhole(await load.end(), 100)
  })

  it('a control plane that is away is missed by nobody, not by a proxy that starts meanwhile either', {
    timeout: 300_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'heddle-snapshot-'))
    later(async () => rmSync(folder, { recursive: true }))
    const snapshot = join(folder, 'proxy-1.snapshot')
    const [app] = await apps(1)
    const plane = await startControlPlane()
    plane.cache.set('proxy-1', resources({ version: 1, ports: [app!.port] }))
    const first = await start(plane.port, { snapshot })
    // Each proxy has half of it.
    const load = await startLoad(portOf(first), RATE / 2)
    await until('the snapshot is written', () =>
      ask(portOf(first), '/').then(() => statSync(snapshot, { throwIfNoEntry: false }) !== undefined),
    )
    expect(statSync(snapshot).mode & 0o777).toBe(0o600)
    await plane.close()
    const second = await start(plane.port, { snapshot })
    const loads = [load, await startLoad(portOf(second), RATE / 2)]
    await wait(soak ? 60_000 : 1_500)
    const back = await startControlPlane(plane.cache, plane.port)
    plane.cache.set('proxy-1', resources({ version: 2, ports: [app!.port] }))
    for (const proxy of [first, second])
      await until('both obey the next one', async () => (await ask(portOf(proxy), '/')).headers['x-version'] === '2')
    for (const each of loads) expectWhole(await each.end(), 100)
    expect(back.events.filter(({ kind }) => kind === 'nacked')).toEqual([])
  })
})

it('a snapshot that was changed is refused, and the proxy waits', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-snapshot-'))
  later(async () => rmSync(folder, { recursive: true }))
  const snapshot = join(folder, 'proxy-1.snapshot')
  writeFileSync(snapshot, `heddle-config-snapshot 1 ${'0'.repeat(64)}\n{"node":"proxy-1","types":{}}\n`)
  const plane = await startControlPlane()
  await plane.close()
  const proxy = createProxy({ bootstrap: bootstrap(plane.port), snapshot: createSnapshotFile(snapshot) })
  await proxy.start()
  later(() => proxy.close())
  await until('the stream has failed', () => (proxy.xds?.lastError ?? '') !== '')
  expect(proxy.ready.current).toBe(false)
})
