import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createClusterStats } from './stats.js'
import { createChanges, createStatsFlusher, type StatChange } from './stats-sink.js'
import { createStatsdSink } from './statsd.js'

const INTERVAL = 5_000

function setUp() {
  const registry = createMetricsRegistry()
  const cluster = createClusterStats(registry, 'web')
  return { registry, cluster, changes: createChanges(registry) }
}

const named = (changes: readonly StatChange[], name: string) => changes.filter((change) => change.name === `cluster.web.${name}`)

describe('what has changed', () => {
  it('counters by how much they grew, and only if', () => {
    const { cluster, changes } = setUp()
    cluster.upstreamRqTotal.inc(3)
    expect(named(changes(), 'upstream_rq_total')).toMatchObject([{ kind: 'counter', value: 3 }])
    cluster.upstreamRqTotal.inc(2)
    expect(named(changes(), 'upstream_rq_total')).toMatchObject([{ value: 2 }])
    expect(named(changes(), 'upstream_rq_total')).toEqual([])
  })

  it('gauges as they are, each time', () => {
    const { cluster, changes } = setUp()
    cluster.membershipHealthy.set(2)
    changes()
    expect(named(changes(), 'membership_healthy')).toMatchObject([{ kind: 'gauge', value: 2 }])
  })

  it('histograms by bucket', () => {
    const { cluster, changes } = setUp()
    for (const ms of [3, 4, 80]) cluster.upstreamRqTime.observe(ms)
    const told = named(changes(), 'upstream_rq_time').map(({ value, count }) => [value, count])
    expect(told).toEqual([
      [5, 2],
      [100, 1],
    ])
    cluster.upstreamRqTime.observe(90)
    expect(named(changes(), 'upstream_rq_time')).toMatchObject([{ value: 100, count: 1 }])
  })
})

describe('sinks', () => {
  it('are told at intervals and at the end; one that throws harms no other', () => {
    const { registry, cluster } = setUp()
    const clock = createFakeClock()
    const told: number[] = []
    const errors: unknown[] = []
    const broken = {
      flush: () => {
        throw new Error('full')
      },
    }
    const mine = { flush: (changes: readonly StatChange[]) => told.push(named(changes, 'upstream_rq_total')[0]?.value ?? 0) }
    const flusher = createStatsFlusher({
      stats: registry,
      sinks: [broken, mine],
      clock,
      intervalMs: INTERVAL,
      onError: (error) => errors.push(error),
    })
    cluster.upstreamRqTotal.inc(1)
    clock.advance(INTERVAL)
    cluster.upstreamRqTotal.inc(4)
    flusher.close()
    expect(told).toEqual([1, 4])
    expect(errors).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  it('statsd: counters, gauges, timers with their rate, in datagrams of bounded size', () => {
    const sent: string[] = []
    const sink = createStatsdSink({ send: (text) => sent.push(text), close() {} }, 'mesh')
    const one = (kind: StatChange['kind'], value: number, count = 1): StatChange => ({
      name: 'cluster.outbound|80||web.x',
      kind,
      value,
      count,
    })
    sink.flush([one('counter', 3), one('gauge', 2), one('histogram', 5), one('histogram', 25, 4)])
    expect(sent).toEqual([
      ['3|c', '2|g', '5|ms', '25|ms|@0.25'].map((rest) => `mesh.cluster.outbound_80__web.x:${rest}`).join('\n'),
    ])
    sent.length = 0
    sink.flush(Array.from({ length: 100 }, () => one('counter', 1)))
    expect(sent.length).toBeGreaterThan(1)
    expect(Math.max(...sent.map((text) => text.length))).toBeLessThanOrEqual(1_400)
  })
})
