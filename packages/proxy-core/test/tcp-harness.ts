import { createMetricsRegistry, silentLogger, systemClock, systemRandom } from '@heddle/runtime'
import type { TcpProxy } from '../src/config/compiled.js'
import { createTcpProxy } from '../src/filters/network/tcp-proxy.js'
import { createSystemNetwork } from '../src/net/socket.js'
import { createTimers } from '../src/net/timers.js'
import type { AccessLogEntry } from '../src/observe/access-log.js'
import { createClusterStats, createTcpStats, type TcpStats } from '../src/observe/stats.js'
import { createClusterManager } from '../src/upstream/cluster-manager.js'
import { createDnsCaches } from '../src/upstream/dns-cache.js'
import { cluster, endpoint } from './harness.js'

export interface TestTcpProxy {
  readonly port: number
  readonly log: AccessLogEntry[]
  readonly stats: TcpStats
  /** Open ones. */
  readonly connections: number
  close(): Promise<void>
}

/** A tcp_proxy in front of a port of this machine. */
export async function startTcpProxy(port: number, overrides: Partial<TcpProxy> = {}, serverName?: string): Promise<TestTcpProxy> {
  const clock = systemClock
  const network = createSystemNetwork({ clock })
  const timers = createTimers({ clock })
  const registry = createMetricsRegistry()
  const tls = { accept: () => Promise.reject(new Error('no')), connect: () => Promise.reject(new Error('no')) }
  const clusters = createClusterManager({
    network,
    tls,
    timers,
    clock,
    random: systemRandom,
    stats: (name) => createClusterStats(registry, name),
  })
  clusters.set(cluster('up', [endpoint(port)]), undefined)
  const log: AccessLogEntry[] = []
  const stats = createTcpStats(registry, 't')
  const terminal = createTcpProxy({
    config: {
      kind: 'tcp_proxy',
      path: '',
      statPrefix: 't',
      target: () => ({ cluster: 'up' }),
      idleTimeoutMs: 0,
      maxConnectionDurationMs: 0,
      maxConnectAttempts: 1,
      clusters: ['up'],
      accessLogs: [{ name: 'test', log: (entry) => log.push(entry) }],
      ...overrides,
    },
    clusters,
    dnsCaches: createDnsCaches({ lookup: () => Promise.resolve([]), clock, logger: silentLogger }),
    stats,
    timers,
    clock,
    random: systemRandom,
    observers: [],
    greetingOf: () => new Uint8Array(),
  })
  const bound = await network.listen({ address: { address: '127.0.0.1', port: 0 } }, (connection) =>
    terminal.serve(connection, {
      destination: connection.local,
      source: connection.remote,
      directSource: connection.remote,
      transportProtocol: 'raw_buffer',
      applicationProtocols: [],
      ...(serverName !== undefined && { serverName }),
    }),
  )
  return {
    port: bound.address.port,
    log,
    stats,
    get connections() {
      return terminal.connections
    },
    async close() {
      terminal.destroy()
      await bound.close()
    },
  }
}
