import type { Clock, Unsubscribe } from '@heddle/runtime'

/** Something a resource needs before it may serve. */
export interface Need {
  /** For people: `ClusterLoadAssignment outbound|80||web`. */
  readonly what: string
  settled(): boolean
  onSettled(run: () => void): Unsubscribe
}

export interface WarmOptions {
  readonly needs: readonly Need[]
  /** initial_fetch_timeout: the longest wait, from now; 0: for ever. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** Once: all needs are settled, or time is up for those in `missing`. */
  ready(missing: readonly string[]): void
}

/**
 * Waits until everything that a resource refers to is there (xDS protocol, "Resource warming"): until then the one it
 * replaces goes on serving. Calls `ready` before it returns when nothing is missing. Returns the way to give up.
 */
export function warm({ needs, timeoutMs, clock, ready }: WarmOptions): Unsubscribe {
  const missing = new Map<Need, Unsubscribe>()
  let stopTimer: Unsubscribe | undefined
  let over = false

  const finish = (): void => {
    if (over) return
    over = true
    stopTimer?.()
    for (const stop of missing.values()) stop()
    ready([...missing.keys()].map((need) => need.what))
  }

  for (const need of needs) {
    if (need.settled()) continue
    const stop = need.onSettled(() => {
      missing.delete(need)
      if (missing.size === 0) finish()
    })
    missing.set(need, stop)
  }
  if (missing.size === 0) finish()
  else if (timeoutMs > 0) stopTimer = clock.after(timeoutMs, finish)

  return () => {
    over = true
    stopTimer?.()
    for (const stop of missing.values()) stop()
  }
}
