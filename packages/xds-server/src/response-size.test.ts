import { describe, expect, test } from 'vitest'
import { CDS, EDS, testServer, VARIANTS } from './fake-client.test-suite.js'

// Line 62: no response is larger than a client can take.
const LIMIT = 2_000
const sized = (name: string, bytes: number): object => ({ name, version: `${bytes}`, bytes: new Uint8Array(bytes) })
const assignment = (name: string, bytes: number): object => ({
  cluster_name: name,
  policy: {},
  named_endpoints: { ['x'.repeat(bytes)]: {} },
})
const start = () => testServer({ limits: { responseBytes: LIMIT } })

describe.each(VARIANTS)('%s', (variant) => {
  test('endpoints go in parts, each when the one before was answered', () => {
    const { give, open, server } = start()
    give({ [EDS]: ['a', 'b', 'c', 'd', 'e'].map((name) => assignment(name, 600)) })
    const stream = open(variant)
    stream.ask(EDS, ['a', 'b', 'c', 'd', 'e'])
    const parts: string[] = []
    for (let i = 0; i < 5; i++) {
      const taken = stream.take()
      parts.push(...taken)
      if (taken.length > 0) stream.ack(EDS)
    }
    expect(parts).toEqual(['a b', 'c d', 'e'].map((names) => `ClusterLoadAssignment ${names}`))
    expect([...server.status()][0]?.types.get(EDS)?.state).toBe('SYNCED')
  })

  test('what is asked for again goes in parts too', () => {
    const { give, open } = start()
    give({ [EDS]: ['a', 'b', 'c'].map((name) => assignment(name, 600)) })
    const stream = open(variant)
    const all = (): string[] => {
      const parts = []
      for (let i = 0; i < 4; i++) {
        parts.push(...stream.take())
        stream.ack(EDS)
      }
      return parts.flatMap((part) => part.split(' ').slice(1)).sort()
    }
    stream.ask(EDS, ['a', 'b', 'c'])
    expect(all()).toEqual(['a', 'b', 'c'])
    if (variant === 'sotw') stream.ask(EDS, [])
    stream.ask(EDS, ['a', 'b', 'c'])
    expect(all()).toEqual(['a', 'b', 'c'])
  })

  test('a resource that is too large by itself holds up no other, and is told once', () => {
    const { give, open, events } = start()
    give({ [EDS]: [assignment('giant', 5_000), assignment('a', 10)] })
    const stream = open(variant)
    stream.ask(EDS, ['giant', 'a'])
    expect(stream.take()).toEqual(['ClusterLoadAssignment a'])
    stream.ack(EDS)
    expect(stream.take()).toEqual([])
    const told = events.filter((event) => event.kind === 'oversized')
    expect(told).toMatchObject([{ typeUrl: EDS, name: 'giant' }])
    give({ [EDS]: [assignment('giant', 100), assignment('a', 10)] })
    expect(stream.take()).toEqual(['ClusterLoadAssignment giant'])
  })
})

test('SotW: clusters that cannot be listed in one response are not sent, and told; the last list stays', () => {
  const { give, open, events, server } = start()
  give({ [CDS]: [{ name: 'a' }] })
  const stream = open('sotw')
  stream.ask(CDS, [])
  stream.take()
  stream.ack(CDS)
  give({ [CDS]: [sized('a', 1_500), sized('b', 1_500)] })
  expect(stream.take()).toEqual([])
  expect(stream.closed).toEqual([])
  expect(events.filter((event) => event.kind === 'oversized')).toMatchObject([{ typeUrl: CDS, name: undefined }])
  expect([...server.status()][0]?.types.get(CDS)?.state).toBe('SYNCED')
  give({ [CDS]: [{ name: 'b' }] })
  expect(stream.take()).toEqual(['Cluster b'])
})
