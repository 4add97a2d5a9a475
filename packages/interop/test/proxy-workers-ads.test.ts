import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSnapshotCache, createXdsServer } from '@heddle/xds-server'
import { type GrpcXdsServer, listenGrpc } from '@heddle/xds-server/grpc'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dynamicResources, grpcCluster } from '../src/data-plane.js'
import { ADS, manager, ROUTER, TYPES } from '../src/edge-scene.js'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { get, type ProxyCommand, runProxy, stat } from '../src/proxy-command.js'

// Worker processes that take orders: each over a stream of its own, all from one snapshot, none without the others.
const WORKERS = 2
const NODE = 'edge'
const TIMEOUT_MS = 90_000
const folder = mkdtempSync(join(tmpdir(), 'heddle-workers-ads-'))
const snapshot = join(folder, 'edge.snapshot')
const cache = createSnapshotCache()
const slow: (() => void)[] = []
const upstream = createServer((asked, response) => {
  if (asked.url === '/slow') slow.push(() => response.end('slow'))
  else response.end('ok')
})
let streams = 0
let port = 0
let control = 0
let plane: GrpcXdsServer
let running: ProxyCommand | undefined

function startPlane(): Promise<GrpcXdsServer> {
  const server = createXdsServer({ resources: (node) => cache.watch(node.id) })
  server.subscribe(({ kind }) => {
    if (kind === 'connected') streams++
  })
  return listenGrpc(server, { address: `127.0.0.1:${control}`, drainMs: 100 })
}

const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })

function publish(version: string): void {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at((upstream.address() as AddressInfo).port) } }] }]
  const header = { header: { key: 'x-version', value: version } }
  const routes = [{ match: { path: '/version' }, direct_response: { status: 200, body: { inline_string: version } } }]
  const all = { match: { prefix: '/' }, route: { cluster: 'up', timeout: '0s' } }
  const http = manager({ http_filters: [ROUTER], server_name: `heddle-${version}` })
  const resources = {
    [TYPES.cds]: [{ name: 'up', type: 'EDS', connect_timeout: '5s', eds_cluster_config: { eds_config: ADS } }],
    [TYPES.eds]: [{ cluster_name: 'up', endpoints }],
    [TYPES.lds]: [{ name: 'edge', address: at(port), filter_chains: [{ filters: [http] }] }],
    [TYPES.rds]: [
      {
        name: 'routes',
        response_headers_to_add: [header],
        virtual_hosts: [{ name: 'all', domains: ['*'], routes: [...routes, all] }],
      },
    ],
  }
  cache.set(NODE, { groups: [{ id: NODE, resources: new Map(Object.entries(resources)) }] })
}

function start(name: string): ProxyCommand {
  const bootstrap = {
    admin: { address: at(0) },
    node: { id: NODE, cluster: NODE },
    dynamic_resources: dynamicResources('DELTA_GRPC', 'xds'),
    static_resources: { clusters: [grpcCluster('xds', `127.0.0.1:${control}`)] },
  }
  running = runProxy(folder, name, bootstrap, ['--concurrency', String(WORKERS), '--snapshot', snapshot, '--drain-time-s', '5'])
  return running
}

const live = (admin: number): Promise<unknown> =>
  eventually(
    () => get(admin, '/ready'),
    ({ status }) => status === 200,
  )
const connections = (count: number): Agent[] => Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
/** Not its other children: run from its sources, it has a compiler beside it while it starts. */
const workersOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(' --concurrency '))
    .map((line) => Number.parseInt(line, 10))

/** Of all resources in the snapshot. */
const keptBytes = (): string =>
  [...readFileSync(snapshot, 'utf8').matchAll(/"value":"([^"]*)"/g)]
    .map(([, value = '']) => Buffer.from(value, 'base64').toString('latin1'))
    .join()

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  // The control plane comes back to its own, too.
  ;[port = 0, control = 0] = await freePorts(2)
  publish('1')
  plane = await startPlane()
}, TIMEOUT_MS)
afterAll(async () => {
  running?.stop()
  await running?.code
  await plane.close()
  upstream.close()
  rmSync(folder, { recursive: true })
}, TIMEOUT_MS)

test(
  'every worker has its own stream and obeys; when one dies, the rest answer what they have begun, and the next proxy starts from the snapshot',
  async () => {
    const first = start('first')
    const admin = await first.admin()
    await live(admin)
    expect(streams).toBe(WORKERS)
    // So many that, wherever the kernel leads each, no worker is left without.
    const agents = connections(40)
    const versions = async (): Promise<string[]> =>
      (await Promise.all(agents.map((agent) => get(port, '/version', { agent })))).map(({ text }) => text)
    expect(new Set(await versions())).toEqual(new Set(['1']))
    for (const version of ['2', '3', '4']) publish(version)
    await eventually(versions, (seen) => seen.every((version) => version === '4'))
    expect((await Promise.all(agents.map((agent) => get(port, '/', { agent })))).every(({ text }) => text === 'ok')).toBe(true)
    expect(await stat(admin, 'cluster.up.upstream_cx_total')).toBeGreaterThanOrEqual(WORKERS)
    // The first worker keeps it, a second after the last change.
    await eventually(
      () => keptBytes(),
      (bytes) => bytes.includes('heddle-4') && bytes.includes('x-version\x12\x014'),
    )
    expect(statSync(snapshot).mode & 0o777).toBe(0o600)

    const underWay = agents.map((agent) => get(port, '/slow', { agent }).catch(() => undefined))
    await eventually(
      () => slow.length,
      (count) => count === agents.length,
    )
    await plane.close()
    const [victim = 0, ...others] = workersOf(first.pid)
    expect(others).toHaveLength(WORKERS - 1)
    process.kill(victim, 'SIGKILL')
    // The other has been told, and takes no more connections.
    await eventually(
      () => get(admin, '/ready').catch(() => undefined),
      (answer) => answer?.text !== 'LIVE\n',
    )
    for (const answer of slow) answer()
    const answered = (await Promise.all(underWay)).filter((answer) => answer !== undefined)
    expect(answered.length).toBeGreaterThan(0)
    expect(answered.length).toBeLessThan(agents.length)
    expect(answered.every(({ text }) => text === 'slow')).toBe(true)
    expect(await first.code).not.toBe(0)
    expect(first.errors()).toMatch(/^heddle proxy: worker \d has ended by SIGKILL: the others drain and leave\n$/)
    for (const agent of agents) agent.destroy()

    const second = start('second')
    await live(await second.admin())
    expect(await get(port, '/version')).toEqual({ status: 200, text: '4' })
    publish('5')
    plane = await startPlane()
    const later = connections(8)
    await eventually(
      () => Promise.all(later.map((agent) => get(port, '/version', { agent }))),
      (seen) => seen.every(({ text }) => text === '5'),
    )
    for (const agent of later) agent.destroy()
    second.stop()
    expect(await second.code).toBe(0)
    expect(second.errors()).toBe('')
  },
  TIMEOUT_MS,
)
