import { createWatch } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { ReceivedUpdate } from './protocol.js'
import { createStartUp, type StartUpOptions } from './start-up.js'

function setUp(timeouts: { clusters?: number; listeners?: number; runtime?: number }) {
  const clock = createFakeClock()
  const events: string[] = []
  const warming = createWatch({ clusters: 0, listeners: 0 })
  const of = (timeoutMs: number | undefined) => (timeoutMs === undefined ? undefined : { timeoutMs })
  const options: StartUpOptions = {
    clusters: of(timeouts.clusters),
    listeners: of(timeouts.listeners),
    clusterTypeUrl: 'CDS',
    listenerTypeUrl: 'LDS',
    runtime:
      timeouts.runtime === undefined
        ? undefined
        : { ask: () => events.push('ask RTDS'), typeUrl: 'RTDS', timeoutMs: timeouts.runtime },
    clock,
    warming,
    subscribeAll: (typeUrl) => events.push(`ask ${typeUrl}`),
    notInTime: (typeUrl) => events.push(`no ${typeUrl}`),
  }
  const startUp = createStartUp(options)
  startUp.ready.subscribe(() => events.push('ready'))
  const update = startUp.watchUpdates(async () => [])
  const arrive = (typeUrl: string) => update({ typeUrl } as ReceivedUpdate)
  return { clock, events, warming, startUp, arrive }
}

describe('starting up', () => {
  it('asks for one type after the other, and is ready when all is there and warm', async () => {
    const { clock, events, warming, startUp, arrive } = setUp({ clusters: 15_000, listeners: 15_000, runtime: 15_000 })
    startUp.begin()
    await arrive('RTDS')
    warming.set({ clusters: 1, listeners: 0 })
    await arrive('CDS')
    expect(events).toEqual(['ask RTDS', 'ask CDS'])
    warming.set({ clusters: 0, listeners: 0 })
    await arrive('LDS')
    clock.advance(60_000)
    expect(events).toEqual(['ask RTDS', 'ask CDS', 'ask LDS', 'ready'])
  })

  it('goes on without what does not come within initial_fetch_timeout, and counts it', () => {
    const { clock, events, startUp } = setUp({ clusters: 2000, listeners: 15_000, runtime: 1000 })
    startUp.begin()
    clock.advance(1000)
    expect(events).toEqual(['ask RTDS', 'no RTDS', 'ask CDS'])
    clock.advance(2000)
    expect(events.slice(3)).toEqual(['no CDS', 'ask LDS'])
    clock.advance(15_000)
    expect(events.slice(5)).toEqual(['no LDS', 'ready'])
  })

  it('waits for ever with a timeout of 0, and for nothing once it is closed', () => {
    const forEver = setUp({ clusters: 0 })
    forEver.startUp.begin()
    forEver.clock.advance(3_600_000)
    expect(forEver.events).toEqual(['ask CDS'])
    const closed = setUp({ clusters: 15_000 })
    closed.startUp.begin()
    closed.startUp.close()
    expect(closed.clock.pending).toBe(0)
  })
})
