import type { Clock, Counter, MetricsRegistry, Unsubscribe } from '@heddle/runtime'

export interface BatchesOptions<T> {
  readonly clock: Clock
  /** Sends a batch; false: it is lost. Never rejects. */
  send(items: readonly T[]): Promise<boolean>
  readonly stats: BatchStats
  /** So many are sent at once, or what weighs so much. */
  readonly size: number
  /** Default: 1 each. */
  weigh?(item: T): number
  /** The longest that one waits. */
  readonly intervalMs: number
  /** More are dropped while the collector is away. Default 10,000. */
  readonly most?: number
}

export interface BatchStats {
  readonly itemsSent: Counter
  readonly timerFlushed: Counter
  readonly reportsSent: Counter
  readonly reportsFailed: Counter
  readonly dropped: Counter
}

export interface Batches<T> {
  add(item: T): void
  /** Resolves when what was added is sent, or lost. */
  flush(): Promise<void>
}

const MOST = 10_000

/** Collects what goes to a collector: a few spans or log records in one call, one call at a time. */
export function createBatches<T>(options: BatchesOptions<T>): Batches<T> {
  const { clock, send, stats, size, weigh = () => 1, intervalMs, most = MOST } = options
  let items: T[] = []
  let weight = 0
  let waiting = 0
  let tail: Promise<void> = Promise.resolve()
  let timer: Unsubscribe | undefined

  const sendAll = (): Promise<void> => {
    timer?.()
    timer = undefined
    if (items.length === 0) return tail
    const batch = items
    items = []
    weight = 0
    waiting += batch.length
    tail = tail.then(async () => {
      const sent = await send(batch)
      waiting -= batch.length
      if (sent) stats.reportsSent.inc()
      else stats.reportsFailed.inc()
      if (sent) stats.itemsSent.inc(batch.length)
    })
    return tail
  }
  return {
    add(item) {
      if (waiting + items.length >= most) {
        stats.dropped.inc()
        return
      }
      items.push(item)
      weight += weigh(item)
      if (weight >= size) void sendAll()
      else
        timer ??= clock.after(intervalMs, () => {
          timer = undefined
          stats.timerFlushed.inc()
          void sendAll()
        })
    },
    flush: sendAll,
  }
}

/** `tracing.zipkin.spans_sent` and its kin: `scope` is `tracing_zipkin`, `items` `spans`. */
export function createBatchStats(registry: MetricsRegistry, scope: string, items: string): BatchStats {
  const counter = (name: string): Counter =>
    registry.counter(`envoy_${scope}_${name}`, "Envoy's reports to a collector.").labels()
  return {
    itemsSent: counter(`${items}_sent`),
    timerFlushed: counter('timer_flushed'),
    reportsSent: counter('reports_sent'),
    reportsFailed: counter('reports_failed'),
    dropped: counter(`${items}_dropped`),
  }
}
