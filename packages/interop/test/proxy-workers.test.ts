import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../src/eventually.js'
import { freePorts } from '../src/free-ports.js'
import { get, type ProxyCommand, runProxy, stat } from '../src/proxy-command.js'

const WORKERS = 2
const TYPES = 'type.googleapis.com/envoy.extensions.filters'
const at = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } })

function bootstrap(port: number, upstream: number): object {
  const http = {
    '@type': `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'up' } }] }],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } }],
  }
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: at(upstream) } }] }]
  return {
    admin: { address: at(0) },
    static_resources: {
      listeners: [{ name: 'in', address: at(port), filter_chains: [{ filters: [{ name: 'http', typed_config: http }] }] }],
      clusters: [{ name: 'up', load_assignment: { cluster_name: 'up', endpoints } }],
    },
  }
}

const folder = mkdtempSync(join(tmpdir(), 'heddle-workers-'))
const slow: (() => void)[] = []
const upstream = createServer((asked, response) => {
  if (asked.url === '/slow') slow.push(() => response.end('slow'))
  else response.end('ok')
})
let port = 0

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  port = (await freePorts(1))[0]!
})
afterAll(() => {
  upstream.close()
  rmSync(folder, { recursive: true })
})

const run = (name: string, config: object): ProxyCommand => runProxy(folder, name, config, ['--concurrency', String(WORKERS)])

test('two workers share a listener, one admin page speaks for both, and SIGTERM drains both', async () => {
  const proxy = run('two', bootstrap(port, (upstream.address() as AddressInfo).port))
  const admin = await proxy.admin()
  expect(
    await eventually(
      () => get(admin, '/ready'),
      ({ status }) => status === 200,
    ),
  ).toMatchObject({ text: 'LIVE\n' })

  // Connections of their own: the kernel, or the supervisor in turn, gives each to one of the two.
  const agents = Array.from({ length: 32 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  for (const agent of agents) expect(await get(port, '/', { agent })).toEqual({ status: 200, text: 'ok' })
  expect(await stat(admin, 'http.in.downstream_rq_total')).toBe(32)
  expect(await stat(admin, 'http.in.downstream_cx_active')).toBe(32)
  // Each worker has its own connections upstream: one would have needed one, for requests in turn.
  expect(await stat(admin, 'cluster.up.upstream_cx_total')).toBe(WORKERS)
  expect(await stat(admin, 'cluster.up.membership_total')).toBe(1)
  // A worker counts a request's time once it is over, which its client may know first.
  const prometheus = async (): Promise<string> => (await get(admin, '/stats/prometheus')).text
  await expect.poll(prometheus).toMatch(/^envoy_http_downstream_rq_time_count\{[^}]*\} 32$/m)
  expect(await prometheus()).toMatch(/^envoy_http_downstream_rq_total\{[^}]*\} 32$/m)
  expect((await get(admin, '/clusters')).text).toMatch(/^up::127\.0\.0\.1:\d+::rq_total::32$/m)
  expect(JSON.parse((await get(admin, '/config_dump')).text)).toMatchObject({ configs: expect.any(Array) })

  expect(await get(admin, '/healthcheck/fail', { method: 'POST' })).toEqual({ status: 200, text: 'OK\n' })
  expect((await get(admin, '/ready')).status).toBe(503)
  expect(await get(admin, '/healthcheck/ok', { method: 'POST' })).toEqual({ status: 200, text: 'OK\n' })
  expect((await get(admin, '/ready')).status).toBe(200)

  const underWay = agents.slice(0, 8).map((agent) => get(port, '/slow', { agent }))
  await eventually(
    () => slow.length,
    (count) => count === 8,
  )
  proxy.stop()
  await eventually(
    () => get(admin, '/ready'),
    ({ text }) => text === 'DRAINING\n',
  )
  for (const answer of slow) answer()
  expect(new Set((await Promise.all(underWay)).map(({ text }) => text))).toEqual(new Set(['slow']))
  for (const agent of agents) agent.destroy()
  expect(await proxy.code).toBe(0)
  expect(proxy.errors()).toBe('')
}, 60_000)

test('what keeps one worker from starting is said once', async () => {
  const proxy = run('wrong', {
    static_resources: { listeners: [{ name: 'in', address: at(port), filter_chains: [{ filters: [{ name: 'nobody' }] }] }] },
  })
  expect(await proxy.code).toBe(1)
  expect(proxy.errors().match(/heddle proxy: /g)).toHaveLength(1)
}, 60_000)
