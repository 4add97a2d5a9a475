import type { Clock, Unsubscribe } from './clock.js'

export interface DebounceOptions<T> {
  clock: Clock
  /** Gets everything pushed since the last run, in order. What it throws goes to the clock's caller; the items are not given again. */
  run(items: T[]): void
  /** Silence that ends a batch, in milliseconds; default 100 (PILOT_DEBOUNCE_AFTER). */
  quietMs?: number
  /** The longest that the first item of a batch waits, in milliseconds; default 10,000 (PILOT_DEBOUNCE_MAX). */
  maxMs?: number
}

/** Gathers a burst into one batch. */
export interface Debounce<T> {
  readonly pending: number
  push(item: T): void
  /** Runs now what is pending, if anything. */
  flush(): void
  /** Drops what is pending and stops the timer; later pushes are ignored. */
  dispose(): void
}

export function createDebounce<T>({ clock, run, quietMs = 100, maxMs = 10_000 }: DebounceOptions<T>): Debounce<T> {
  let items: T[] = []
  let firstAt = 0
  let lastAt = 0
  let timer: Unsubscribe | undefined
  let disposed = false

  const flush = (): void => {
    timer?.()
    timer = undefined
    if (items.length === 0) return
    const batch = items
    items = []
    run(batch)
  }
  // One timer a batch, re-armed when it fires early: a burst of thousands must not make thousands of timers.
  const arm = (): void => {
    const now = clock.monotonic()
    const wait = Math.min(lastAt + quietMs, firstAt + maxMs) - now
    timer = clock.after(Math.max(0, wait), () => {
      timer = undefined
      const due = Math.min(lastAt + quietMs, firstAt + maxMs)
      if (clock.monotonic() >= due) flush()
      else arm()
    })
  }
  return {
    get pending() {
      return items.length
    },
    push(item) {
      if (disposed) return
      lastAt = clock.monotonic()
      if (items.push(item) === 1) firstAt = lastAt
      if (timer === undefined) arm()
    },
    flush,
    dispose() {
      disposed = true
      items = []
      timer?.()
      timer = undefined
    },
  }
}
