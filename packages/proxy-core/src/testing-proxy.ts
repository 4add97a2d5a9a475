import type { Counter } from '@heddle/runtime'
import { createFakeClock, createSeededRandom, type FakeClock } from '@heddle/runtime/testing'
import type { Connection } from './net/connection.js'
import { createMemoryNetwork } from './net/memory.js'
import type { Network } from './net/network.js'
import { createProxy, type ProxyServer } from './proxy.js'

/** A whole proxy in memory for this package's own tests; not exported. */

const EXTENSIONS = 'type.googleapis.com/envoy.extensions'
const PORT = 80

/** A status, or one with headers. */
export type AppAnswer = number | { readonly status: number; readonly headers: Readonly<Record<string, string>> }

/** Answers one request to an app; it may wait. */
export type App = (request: { readonly path: string; readonly count: number }) => AppAnswer | Promise<AppAnswer>

export interface MemoryProxy {
  readonly proxy: ProxyServer
  readonly clock: FakeClock
  /** The status that came back. */
  get(path?: string, headers?: Readonly<Record<string, string>>): Promise<number>
  /** A counter or gauge by its Prometheus name, over all labels. */
  stat(name: string): number
  /** How many requests each app has had, by port. */
  readonly counts: ReadonlyMap<number, number>
}

export const memoryEndpoints = (ports: readonly number[], extra: object = {}): object => ({
  lb_endpoints: ports.map((port_value) => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value } } },
    ...extra,
  })),
})

export const memoryCluster = (name: string, ports: readonly number[], extra: object = {}): object => ({
  name,
  connect_timeout: '1s',
  load_assignment: { cluster_name: name, endpoints: [memoryEndpoints(ports)] },
  ...extra,
})

export async function startMemoryProxy(
  virtualHost: object,
  clusters: readonly object[],
  apps: Readonly<Record<number, App>>,
  seed = 1,
): Promise<MemoryProxy> {
  const network = createMemoryNetwork()
  const clock = createFakeClock()
  const counts = new Map<number, number>()
  for (const [port, app] of Object.entries(apps)) await serveApp(network, Number(port), app, counts)
  const http = {
    '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], ...virtualHost }] },
    http_filters: [{ name: 'router', typed_config: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router` } }],
  }
  const address = { socket_address: { address: '127.0.0.1', port_value: PORT } }
  const listener = { name: 'in', address, filter_chains: [{ filters: [{ name: 'http', typed_config: http }] }] }
  const proxy = createProxy({
    bootstrap: { static_resources: { listeners: [listener], clusters } },
    ...{ network, clock, random: createSeededRandom(seed), lookup: () => Promise.resolve([]) },
  })
  await proxy.start()
  return {
    proxy,
    clock,
    counts,
    get: (path = '/', headers = {}) => ask(network, path, headers),
    stat(name) {
      const family = [...proxy.stats.families()].find((each) => each.name === name)
      if (family === undefined || family.kind === 'histogram') return 0
      return [...family.series()].reduce((sum, [, metric]) => sum + (metric as Counter).value, 0)
    },
  }
}

async function ask(network: Network, path: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const client = await network.connect({ address: { address: '127.0.0.1', port: PORT }, timeoutMs: 0 })
  return new Promise((resolve) => {
    let text = ''
    client.handle({
      onData(bytes) {
        text += Buffer.from(bytes).toString('latin1')
        if (!text.includes('\r\n\r\n')) return
        client.destroy()
        resolve(Number(text.slice(9, 12)))
      },
      onEnd: () => client.end(),
      onDrain() {},
      onClose: () => resolve(0),
    })
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    client.write(Buffer.from(`GET ${path} HTTP/1.1\r\nhost: app\r\n${lines.join('')}\r\n`))
  })
}

async function serveApp(network: Network, port: number, app: App, counts: Map<number, number>): Promise<void> {
  await network.listen({ address: { address: '127.0.0.1', port } }, (connection) => {
    let held = ''
    connection.handle({
      onData(bytes) {
        held += Buffer.from(bytes).toString('latin1')
        for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
          const path = held.split(' ', 2)[1] ?? ''
          held = held.slice(end + 4)
          const count = (counts.get(port) ?? 0) + 1
          counts.set(port, count)
          void answer(connection, app({ path, count }))
        }
      },
      onEnd: () => connection.end(),
      onDrain() {},
      onClose() {},
    })
  })
}

async function answer(connection: Connection, given: AppAnswer | Promise<AppAnswer>): Promise<void> {
  const said = await given
  const { status, headers } = typeof said === 'number' ? { status: said, headers: {} } : said
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  if (!connection.closed) connection.write(Buffer.from(`HTTP/1.1 ${status} X\r\n${lines.join('')}content-length: 0\r\n\r\n`))
}
