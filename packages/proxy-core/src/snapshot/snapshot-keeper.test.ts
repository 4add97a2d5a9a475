import { createFakeClock, createMemoryLogger } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { storeTypes } from '../state/types.js'
import type { ResourceRecord } from '../state/warmed-set.js'
import type { XdsStatus } from '../xds/client.js'
import type { ReceivedUpdate } from '../xds/protocol.js'
import { createSnapshotKeeper } from './snapshot-keeper.js'

const { cluster } = storeTypes
const record = (name: string, state: ResourceRecord['state']): ResourceRecord => ({
  ...{ typeUrl: cluster.typeUrl, name, state, version: '3', updatedAt: 0 },
  message: { name, connect_timeout: '1s' },
})
const status = (change: Partial<XdsStatus>): XdsStatus => ({
  ...{ connected: false, controlPlane: '', updates: 0, rejected: 0, streams: 1, lastError: '' },
  ...change,
})
const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

function keeper(kept?: string) {
  const clock = createFakeClock()
  const logger = createMemoryLogger()
  const written: string[] = []
  const restored: ReceivedUpdate[] = []
  const made = createSnapshotKeeper({
    store: { read: async () => kept ?? written.at(-1), write: async (text) => void written.push(text) },
    node: 'n',
    types: [cluster as never],
    records: () => new Map([[cluster.typeUrl, [record('remote', 'active'), record('own', 'static')]]]),
    restore: (updates) => restored.push(...updates),
    ...{ clock, logger },
  })
  made.begin()
  return { made, clock, logger, written, restored }
}

describe('keeping configuration', () => {
  it('writes what the server told once it is quiet, without what is static', async () => {
    const { made, clock, written } = keeper()
    made.onStatus(status({ connected: true, updates: 1 }))
    clock.advance(900)
    made.onStatus(status({ connected: true, updates: 2 }))
    clock.advance(900)
    expect(written).toEqual([])
    clock.advance(200)
    await settled()
    expect(written).toHaveLength(1)
    expect(written[0]).toContain('remote')
    expect(written[0]).not.toContain('"own"')
  })

  it('brings it back when the first stream fails, and when nobody speaks; once', async () => {
    const first = keeper()
    first.made.onStatus(status({ connected: true, updates: 1 }))
    await first.made.close()
    const kept = first.written[0]!
    const failing = keeper(kept)
    failing.made.onStatus(status({ lastError: 'refused' }))
    failing.made.onStatus(status({ lastError: 'refused' }))
    await settled()
    expect(
      failing.restored.map(({ resources }) => resources.map(({ name, version, message }) => [name, version, message.ok])),
    ).toEqual([[['remote', '3', true]]])
    const silent = keeper(kept)
    silent.clock.advance(3_000)
    await settled()
    expect(silent.restored).toHaveLength(1)
  })

  it('has nothing to say once the server has spoken', async () => {
    const { made, restored } = keeper('anything')
    made.onStatus(status({ connected: true, updates: 1 }))
    made.onStatus(status({ updates: 1, lastError: 'gone' }))
    await settled()
    expect(restored).toEqual([])
  })

  it('says when there is none, and when it is refused', async () => {
    const none = keeper()
    none.made.onStatus(status({ lastError: 'refused' }))
    const broken = keeper('nonsense')
    broken.made.onStatus(status({ lastError: 'refused' }))
    await settled()
    expect(JSON.stringify(none.logger.entries)).toContain('waiting for it')
    expect(JSON.stringify(broken.logger.entries)).toContain('no configuration snapshot')
    expect([...none.restored, ...broken.restored]).toEqual([])
  })
})
