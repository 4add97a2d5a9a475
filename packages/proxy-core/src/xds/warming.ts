import type { Clock, Unsubscribe } from '@heddle/runtime'

/** Something a resource needs before it may serve. */
export interface Need {
  /** For people: `ClusterLoadAssignment outbound|80||web`. */
  readonly what: string
  /** initial_fetch_timeout: the longest wait; 0: for ever. Undefined: as long as all that say nothing. */
  readonly timeoutMs?: number
  settled(): boolean
  onSettled(run: () => void): Unsubscribe
  /** Its time was up. */
  expired?(): void
}

export interface WarmOptions {
  readonly needs: readonly Need[]
  /** The longest wait, from now, for needs that do not say their own; 0: for ever. */
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
  const waits = new Map<Need, Unsubscribe>()
  const missing: string[] = []
  let over = false

  const look = (): void => {
    if (over || waits.size > 0) return
    over = true
    ready(missing)
  }
  const end = (need: Need): void => {
    waits.get(need)?.()
    waits.delete(need)
  }

  for (const need of needs.filter((need) => !need.settled())) {
    const longest = need.timeoutMs ?? timeoutMs
    const stopNeed = need.onSettled(() => {
      end(need)
      look()
    })
    const expire = (): void => {
      missing.push(need.what)
      need.expired?.()
      end(need)
      look()
    }
    const stopTimer = longest > 0 ? clock.after(longest, expire) : undefined
    waits.set(need, () => {
      stopNeed()
      stopTimer?.()
    })
  }
  look()

  return () => {
    over = true
    for (const need of [...waits.keys()]) end(need)
  }
}
