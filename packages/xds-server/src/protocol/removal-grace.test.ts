import { describe, expect, test } from 'vitest'
import { type Content, createModelClient, type ModelClient, type Variant } from './protocol-harness.test-suite.js'

const BEFORE: Content = { cds: { v1: '1' }, lds: { moving: '1' }, rds: { moving: '1' } }
const AFTER: Content = { cds: { v2: '1' }, lds: { moving: '1' }, rds: { moving: '2' } }

describe.each<Variant>(['sotw', 'delta'])('%s: clusters that gRPC clients ask for by name', (variant) => {
  const either = (sotw: string[], delta: string[]): string[] => (variant === 'sotw' ? sotw : delta)

  /** Its routes have moved from v1 to v2, and it uses both. */
  function moved(): ModelClient {
    const client = createModelClient(variant, { removalGrace: true })
    client.set(BEFORE)
    for (const type of ['lds', 'rds'] as const) client.subscribe(type, 'moving')
    client.subscribe('cds', 'v1')
    client.ackAll()
    client.take()
    client.takeEvents()
    client.set(AFTER)
    expect(client.take()).toEqual(['rds moving@2'])
    client.ack('rds')
    expect(client.take()).toEqual([])
    client.subscribe('cds', 'v2')
    expect(client.take()).toEqual(either(['cds v1@1 v2@1'], ['cds v2@1']))
    client.ack('cds')
    expect(client.take()).toEqual([])
    return client
  }

  test('stay while it does', () => {
    const client = moved()
    expect(client.takeEvents().filter(({ kind }) => kind === 'grace')).toHaveLength(1)
    client.unsubscribe('cds', 'v1')
    client.graceOver('cds')
    expect(client.take()).toEqual([])
    expect(client.believed('cds')).toEqual({ v2: '1' })
  })

  test('are gone when it does not let go of them', () => {
    const client = moved()
    client.graceOver('cds')
    expect(client.take()).toEqual(either(['cds v2@1'], ['cds -v1']))
    client.ack('cds')
    expect(client.known('cds')).toEqual({ v2: '1' })
  })

  test('have a grace of their own each time', () => {
    const client = moved()
    client.graceOver('cds')
    client.ackAll()
    client.take()
    client.takeEvents()
    client.set({ ...AFTER, cds: {} })
    expect(client.take()).toEqual([])
    expect(client.takeEvents().map(({ kind }) => kind)).toEqual(['grace'])
    client.graceOver('cds')
    expect(client.take()).toEqual(either(['cds'], ['cds -v2']))
  })

  test('do not come back to life by another change', () => {
    const client = moved()
    client.set({ ...AFTER, cds: { v2: '2' } })
    expect(client.take()).toEqual(either(['cds v1@1 v2@2'], ['cds v2@2']))
    client.ack('cds')
    client.graceOver('cds')
    expect(client.take()).toEqual(either(['cds v2@2'], ['cds -v1']))
  })

  test('what never was is told at once', () => {
    const client = moved()
    client.subscribe('cds', 'nowhere')
    expect(client.take()).toEqual(either(['cds v1@1 v2@1'], ['cds -nowhere']))
  })

  test('who asks for all of them needs none', () => {
    const client = createModelClient(variant, { removalGrace: true })
    client.set(BEFORE)
    for (const type of ['lds', 'rds'] as const) client.subscribe(type, 'moving')
    client.subscribe('cds')
    client.ackAll()
    client.take()
    client.set({ ...AFTER, rds: { moving: '1' } })
    expect(client.take()).toEqual(either(['cds v2@1'], ['cds -v1 v2@1']))
  })
})
