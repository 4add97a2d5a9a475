import { createMetricsRegistry, renderPrometheus } from '@heddle/runtime'
import { describe, expect, test } from 'vitest'
import { CDS, EDS, setOf, testServer, VARIANTS } from './fake-client.test-suite.js'

const cluster = (name: string, seconds = 1): object => ({ name, connect_timeout: `${seconds}s` })
const endpoints = (cluster_name: string, overprovisioning_factor = 140): object => ({
  cluster_name,
  policy: { overprovisioning_factor },
})

describe.each(VARIANTS)('%s', (variant) => {
  const isDelta = variant === 'delta'

  test('what one client refuses is rolled back for all that hold its group, and the rest goes out', () => {
    const metrics = createMetricsRegistry()
    const { clock, give, open, server, events } = testServer({ quarantine: true, metrics })
    give({ [CDS]: [cluster('a'), cluster('b')] })
    const [one, two] = [open(variant), open(variant)]
    for (const stream of [one, two]) {
      stream.ask(CDS, ['*'])
      stream.ack(CDS)
      stream.take()
    }
    const good = versionsOf(server)
    give({ [CDS]: [cluster('a', 2), cluster('b', 2)] })
    two.ack(CDS)
    one.nack(CDS, 'Error adding/updating cluster(s) a: no')
    one.take()
    two.take()
    clock.advance(0)
    // Who has refused the response gets the rest of it again, who has accepted it only what was taken back.
    expect(one.take()).toEqual(['Cluster a b'])
    expect(two.take()).toEqual([isDelta ? 'Cluster a' : 'Cluster a b'])
    for (const stream of [one, two]) stream.ack(CDS)
    for (const { a, b } of versionsOf(server)) {
      expect(a).toBe(good[0]!.a)
      expect(b).not.toBe(good[0]!.b)
    }
    expect(events.filter(({ kind }) => kind === 'quarantined')).toMatchObject([{ typeUrl: CDS, resources: ['a'], nodeId: 'n' }])
    expect(renderPrometheus(metrics)).toContain('xds_quarantined_resources_total{type="cds"} 1')
    expect([...server.status()].map(({ types }) => types.get(CDS)?.state)).toEqual(['SYNCED', 'SYNCED'])
  })

  test('ends when its maker gives another version', () => {
    const { clock, give, open } = testServer({ quarantine: true })
    give({ [EDS]: [endpoints('a')] })
    const stream = open(variant)
    stream.ask(EDS, ['a', 'b'])
    stream.ack(EDS)
    give({ [EDS]: [endpoints('a'), endpoints('b')] })
    stream.take()
    stream.nack(EDS, 'b is bad')
    clock.advance(0)
    // There was no b before.
    expect(stream.take()).toEqual(isDelta ? ['ClusterLoadAssignment -b'] : [])
    if (isDelta) stream.ack(EDS)
    give({ [EDS]: [endpoints('a', 150), endpoints('b')] })
    expect(stream.take()).toEqual(['ClusterLoadAssignment a'])
    stream.ack(EDS)
    give({ [EDS]: [endpoints('a', 150), endpoints('b', 150)] })
    expect(stream.take()).toEqual(['ClusterLoadAssignment b'])
  })

  test('other groups keep their resource of the same name', () => {
    const { cache, clock, open } = testServer({ quarantine: true })
    const give = (seconds: number): void => {
      for (const id of ['n', 'm']) cache.set(id, setOf({ [CDS]: [cluster('a', seconds)] }, undefined, `group of ${id}`))
      clock.advance(0)
    }
    give(1)
    const [one, other] = [open(variant, { id: 'n' }), open(variant, { id: 'm' })]
    for (const stream of [one, other]) {
      stream.ask(CDS, ['*'])
      stream.ack(CDS)
    }
    give(2)
    other.ack(CDS)
    other.take()
    one.nack(CDS, 'cluster a: no')
    clock.advance(0)
    expect(other.take()).toEqual([])
  })

  test('is off by default: what is refused is not sent again', () => {
    const { clock, give, open, events } = testServer()
    give({ [CDS]: [cluster('a')] })
    const [one, two] = [open(variant), open(variant)]
    for (const stream of [one, two]) {
      stream.ask(CDS, ['*'])
      stream.ack(CDS)
    }
    give({ [CDS]: [cluster('a', 2)] })
    two.ack(CDS)
    one.nack(CDS, 'cluster a: no')
    for (const stream of [one, two]) stream.take()
    clock.advance(0)
    expect([...one.take(), ...two.take(), ...events.filter(({ kind }) => kind === 'quarantined')]).toEqual([])
  })
})

/** Of each stream, the versions that it was sent, by name. */
function versionsOf(server: ReturnType<typeof testServer>['server']): Readonly<Record<string, string>>[] {
  return [...server.status()].map(({ streamId }) =>
    Object.fromEntries((server.sent(streamId).get(CDS) ?? []).map(({ name, version }) => [name, version])),
  )
}
