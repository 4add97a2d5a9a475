import type { Clock, MetricsRegistry, Unsubscribe } from '@heddle/runtime'
import { dottedName } from './stat-name.js'

/** What has changed of one statistic since the last flush. */
export interface StatChange {
  /** Envoy's dotted name: `cluster.web.upstream_rq_total`. */
  readonly name: string
  /** `counter`: by how much it grew; `gauge`: its value; `histogram`: observations near `value` milliseconds. */
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly value: number
  /** Of a histogram: how many there were. Else 1. */
  readonly count: number
}

/** A backend for statistics of a user's own. `flush` is called every `stats_flush_interval`; what it throws is logged. */
export interface StatsSink {
  flush(changes: readonly StatChange[]): void
  close?(): void
}

export interface StatsFlusherOptions {
  readonly stats: MetricsRegistry
  readonly sinks: readonly StatsSink[]
  readonly clock: Clock
  readonly intervalMs: number
  onError(error: unknown): void
}

/** Tells sinks at intervals what has changed, and once more at the end. */
export interface StatsFlusher {
  close(): void
}

export function createStatsFlusher({ stats, sinks, clock, intervalMs, onError }: StatsFlusherOptions): StatsFlusher {
  const changes = createChanges(stats)
  let timer: Unsubscribe | undefined
  const flush = (): void => {
    const changed = changes()
    for (const sink of sinks) {
      try {
        sink.flush(changed)
      } catch (error) {
        onError(error)
      }
    }
  }
  const again = (): void => {
    timer = clock.after(intervalMs, () => {
      flush()
      again()
    })
  }
  if (sinks.length > 0) again()
  return {
    close() {
      timer?.()
      if (sinks.length > 0) flush()
      for (const sink of sinks) sink.close?.()
    },
  }
}

/** Reads a registry again and again; each time it gives what is new. Gauges are always told, as Envoy does. */
export function createChanges(registry: MetricsRegistry): () => StatChange[] {
  const before = new Map<string, number>()
  const grown = (key: string, value: number): number => {
    const by = value - (before.get(key) ?? 0)
    before.set(key, value)
    return by
  }
  return () => {
    const changes: StatChange[] = []
    for (const family of registry.families()) {
      for (const [values, metric] of family.series()) {
        const name = dottedName(family.name, family.labelNames, values)
        if (!('value' in metric)) changes.push(...observed(name, metric.buckets(), grown))
        else if (family.kind === 'gauge') changes.push({ name, kind: 'gauge', value: metric.value, count: 1 })
        else {
          const value = grown(name, metric.value)
          if (value > 0) changes.push({ name, kind: 'counter', value, count: 1 })
        }
      }
    }
    return changes
  }
}

/** Observations since last time, each bucket's as its upper bound; of the endless one, as the bound below. */
function* observed(
  name: string,
  buckets: Iterable<{ readonly le: number; readonly count: number }>,
  grown: (key: string, value: number) => number,
): Generator<StatChange> {
  let below = 0
  let bound = 0
  for (const { le, count: total } of buckets) {
    const value = le === Number.POSITIVE_INFINITY ? bound : le
    const count = grown(`${name}\n${le}`, total - below)
    if (count > 0) yield { name, kind: 'histogram', value, count }
    below = total
    bound = value
  }
}
