import { silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { CompiledListener } from '../config/compiled.js'
import type { Connection } from '../net/connection.js'
import type { ListenerSession } from '../net/listener.js'
import type { Network } from '../net/network.js'
import { createListenerManager } from './listener-manager.js'

const listener = (name: string, port: number, revision = 1): CompiledListener =>
  ({
    name,
    address: { address: '127.0.0.1', port },
    bindToPort: true,
    additionalAddresses: [],
    listenerFilters: [],
    revision,
  }) as unknown as CompiledListener

const revisionOf = (compiled: CompiledListener): number => (compiled as unknown as { revision: number }).revision

/** A network that only binds: `connect(port)` is an accepted connection. */
function setUp() {
  const clock = createFakeClock()
  const log: string[] = []
  /** By session: its last connection ends. */
  const ends = new Map<string, () => void>()
  const bound = new Map<number, (connection: Connection) => void>()
  const network = {
    async listen({ address }, accept) {
      if (bound.has(address.port) || address.port === 1)
        throw Object.assign(new Error(`listen EADDRINUSE ${address.port}`), { code: 'EADDRINUSE' })
      bound.set(address.port, accept)
      log.push(`bind ${address.port}`)
      return {
        address,
        async close() {
          bound.delete(address.port)
          log.push(`unbind ${address.port}`)
        },
      }
    },
  } as Network
  const manager = createListenerManager({
    network,
    clock,
    logger: silentLogger,
    drainTimeMs: 10_000,
    start(compiled): ListenerSession {
      const name = `${compiled.name}.${revisionOf(compiled)}`
      let connections = 0
      let onEmpty = (): void => {}
      return {
        listener: compiled,
        accept() {
          connections++
          log.push(`${name} accepts`)
          ends.set(name, () => {
            connections = 0
            onEmpty()
          })
        },
        takeOver() {},
        authorize: async () => {},
        admit() {},
        adopt: () => false,
        handOver: (next) => log.push(`${name} hands over to ${next.listener.name}.${revisionOf(next.listener)}`),
        get connections() {
          return connections
        },
        onEmpty(run) {
          onEmpty = run
        },
        drain: () => log.push(`${name} drains`),
        close() {
          connections = 0
          log.push(`${name} closes`)
        },
      }
    },
  })
  const connect = (port: number): void => bound.get(port)?.({} as Connection)
  return { clock, log, manager, connect, ends }
}

describe('listening sockets', () => {
  it('stay bound when their listener changes; the old connections are handed over, and what stays is closed after the drain time (line 98)', async () => {
    const { manager, log, connect, clock } = setUp()
    await manager.set(listener('a', 80))
    connect(80)
    await manager.set(listener('a', 80, 2))
    connect(80)
    expect(log).toEqual(['bind 80', 'a.1 accepts', 'a.1 hands over to a.2', 'a.2 accepts'])
    clock.advance(10_000)
    expect(log.at(-1)).toBe('a.1 closes')
  })

  it('are bound at the new address before the old one is left', async () => {
    const { manager, log } = setUp()
    await manager.set(listener('a', 80))
    await manager.set(listener('a', 81, 2))
    expect(log).toEqual(['bind 80', 'bind 81', 'unbind 80', 'a.1 hands over to a.2'])
  })

  it('pass to a listener of another name in the same batch', async () => {
    const { manager, log, connect } = setUp()
    await manager.set(listener('old', 80))
    manager.remove('old')
    await manager.set(listener('new', 80))
    manager.closeLeft()
    connect(80)
    await manager.set(listener('other', 90))
    expect(log).toEqual(['bind 80', 'old.1 drains', 'new.1 accepts', 'bind 90'])
  })

  it('are closed when nobody takes them', async () => {
    const { manager, log } = setUp()
    await manager.set(listener('a', 80))
    manager.remove('a')
    manager.closeLeft()
    await manager.set(listener('b', 90))
    expect(log).toEqual(['bind 80', 'a.1 drains', 'unbind 80', 'bind 90'])
    expect(manager.listeners.map(({ name }) => name)).toEqual(['b'])
  })

  it('that cannot be bound leave the old listener at work', async () => {
    const { manager, log, connect } = setUp()
    await manager.set(listener('a', 80))
    await expect(manager.set(listener('a', 1, 2))).rejects.toThrow('EADDRINUSE')
    await expect(manager.set(listener('b', 80))).rejects.toThrow('127.0.0.1:80 belongs to another listener')
    connect(80)
    expect(log.at(-1)).toBe('a.1 accepts')
  })

  it('of /drain_listeners: inbound ones alone, only told to leave, closed later or not at all', async () => {
    const { manager, clock, log } = setUp()
    await manager.set({ ...listener('in', 80), direction: 'INBOUND' })
    await manager.set({ ...listener('out', 90), direction: 'OUTBOUND' })
    log.length = 0
    void manager.drain({ inboundOnly: true, graceful: true, skipExit: true })
    await clock.advanceAsync(20_000)
    expect(log).toEqual(['in.1 drains'])
    log.length = 0
    void manager.drain({ inboundOnly: true, graceful: true })
    await clock.advanceAsync(9_999)
    expect(log).toEqual(['in.1 drains'])
    await clock.advanceAsync(1)
    expect(log[1]).toBe('unbind 80')
    log.length = 0
    void manager.drain({})
    await clock.advanceAsync(1)
    expect(log).toEqual(['unbind 90', 'in.1 drains', 'out.1 drains'])
  })

  it('close at once when draining begins; it ends with the last connection or the drain time', async () => {
    const { manager, log, connect, clock } = setUp()
    await manager.set(listener('a', 80))
    connect(80)
    let over = false
    void manager.drain().then(() => {
      over = true
    })
    await clock.advanceAsync(9000)
    // First the answers say that they are the last; then who is still idle is left.
    expect(log).toEqual(['bind 80', 'a.1 accepts', 'unbind 80', 'a.1 drains', 'a.1 drains'])
    expect(over).toBe(false)
    await clock.advanceAsync(1100)
    expect(over).toBe(true)
  })
})

describe('sessions of listeners that were replaced or are gone', () => {
  it('are forgotten with their last connection, timer and all', async () => {
    const { manager, connect, clock, ends } = setUp()
    await manager.set(listener('a', 80))
    connect(80)
    await manager.set(listener('a', 80, 2))
    expect([manager.draining, clock.pending]).toEqual([1, 1])
    ends.get('a.1')?.()
    expect([manager.draining, clock.pending]).toEqual([0, 0])
  })

  it('that had no connection are never kept', async () => {
    const { manager, clock } = setUp()
    for (let revision = 1; revision <= 1000; revision++) await manager.set(listener('a', 80, revision))
    expect([manager.draining, clock.pending]).toEqual([0, 0])
  })

  it('hand what they still have to every later listener of their name', async () => {
    const { manager, log, connect } = setUp()
    await manager.set(listener('a', 80))
    connect(80)
    await manager.set(listener('a', 80, 2))
    await manager.set(listener('a', 80, 3))
    expect(log.slice(2)).toEqual(['a.1 hands over to a.2', 'a.1 hands over to a.3', 'a.2 hands over to a.3'])
  })

  it('end with the drain time even if they accepted after they were removed', async () => {
    const { manager, log, connect, clock } = setUp()
    await manager.set(listener('a', 80))
    manager.remove('a')
    await Promise.resolve()
    connect(80)
    expect(manager.draining).toBe(1)
    manager.closeLeft()
    clock.advance(10_000)
    expect(log.at(-1)).toBe('a.1 closes')
    expect(manager.draining).toBe(0)
  })
})
