import { createMetricsRegistry, silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { describe, expect, it } from 'vitest'
import type { CompiledListener } from '../config/compiled.js'
import { compileListener } from '../config/listener.js'
import { createListenerStats } from '../observe/stats.js'
import { createListenerManager } from '../state/listener-manager.js'
import { testDeps } from '../testing.js'
import type { Connection, SocketAddress } from './connection.js'
import { createListenerSession } from './listener.js'
import { createConnectionPair } from './memory.js'
import type { Network } from './network.js'

const TYPES = 'type.googleapis.com/envoy.extensions.filters'

function compile(name: string, address: string, port: number, extra: Listener = {}): CompiledListener {
  const typed_config = { '@type': `${TYPES}.network.tcp_proxy.v3.TcpProxy`, stat_prefix: 'tcp', cluster: 'app' }
  const message: Listener = {
    name,
    address: { socket_address: { address, port_value: port } },
    filter_chains: [{ filters: [{ name: 'tcp', typed_config }] }],
    ...extra,
  }
  const compiled = compileListener(message, testDeps(), name)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  return compiled.value
}

const virtual = compile('virtual', '0.0.0.0', 15001, { use_original_dst: true })
const outbound = (name: string, address: string, port: number, extra: Listener = {}): CompiledListener =>
  compile(name, address, port, { bind_to_port: false, ...extra })

/** Who serves a connection that was accepted on port 15001 and meant to go to `destination`. */
async function servedBy(listeners: readonly CompiledListener[], destination: SocketAddress | undefined): Promise<string[]> {
  const served: string[] = []
  let accept: (connection: Connection) => void = () => {}
  const bound: SocketAddress[] = []
  const network = {
    async listen({ address }, accepting) {
      bound.push(address)
      accept = accepting
      return { address, close: async () => {} }
    },
  } as Network
  const clock = createFakeClock()
  const stats = createMetricsRegistry()
  const manager = createListenerManager({
    ...{ network, clock, logger: silentLogger, drainTimeMs: 1000 },
    start: (listener) =>
      createListenerSession({
        ...{ listener, clock, logger: silentLogger, stats: createListenerStats(stats, listener.name) },
        tls: { accept: () => Promise.reject(new Error('no TLS')), connect: () => Promise.reject(new Error('no TLS')) },
        sessionAt: (address) => manager.at(address),
        terminal: () => ({
          serve(connection) {
            served.push(listener.name)
            connection.destroy()
            return { retire() {} }
          },
          ...{ adopt: () => false, connections: 0, drain() {}, destroy() {} },
        }),
      }),
  })
  for (const listener of listeners) await manager.set(listener)
  expect(bound).toEqual([virtual.address])
  const [, server] = createConnectionPair({ address: '10.0.0.2', port: 40_000 }, { address: '127.0.0.1', port: 15001 })
  accept(Object.assign(server, { originalDestination: destination }))
  await clock.advanceAsync(0)
  expect(manager.listeners.reduce((sum, { connections }) => sum + connections, 0)).toBe(0)
  return served
}

describe('use_original_dst', () => {
  const service = outbound('service', '10.96.0.10', 80)
  const port = outbound('port', '0.0.0.0', 80)
  const v6 = outbound('v6', '::', 80)

  it.each<[string, SocketAddress | undefined, string]>([
    ['the listener of the exact address', { address: '10.96.0.10', port: 80 }, 'service'],
    ['the listener of any address with the port', { address: '10.96.0.11', port: 80 }, 'port'],
    ['and of any IPv6 address', { address: 'fd00::1', port: 80 }, 'v6'],
    ['itself where nobody claims the destination', { address: '10.96.0.10', port: 443 }, 'virtual'],
    ['itself for a connection that was not redirected', undefined, 'virtual'],
  ])('hands a connection to %s', async (_, destination, name) => {
    expect(await servedBy([virtual, port, service, v6], destination)).toEqual([name])
  })

  it('hands a connection on only once', async () => {
    const again = outbound('again', '10.96.0.10', 80, { use_original_dst: true })
    const other = outbound('other', '0.0.0.0', 80)
    expect(await servedBy([virtual, again, other], { address: '10.96.0.10', port: 80 })).toEqual(['again'])
  })

  it('finds additional addresses', async () => {
    const two = outbound('two', '10.96.0.10', 80, {
      additional_addresses: [{ address: { socket_address: { address: 'fd00::10', port_value: 80 } } }],
    })
    expect(await servedBy([virtual, two], { address: 'fd00::10', port: 80 })).toEqual(['two'])
  })

  it('does not follow a listener that is gone', async () => {
    const gone = outbound('service', '10.96.0.11', 81)
    expect(await servedBy([virtual, service, gone], { address: '10.96.0.10', port: 80 })).toEqual(['virtual'])
  })
})
