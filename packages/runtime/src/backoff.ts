import type { Clock, Unsubscribe } from './clock.js'
import type { Random } from './random.js'

export interface BackoffOptions {
  clock: Clock
  random: Random
  /** Upper bound of the first delay in milliseconds; default 500, as Envoy's xDS streams. */
  baseMs?: number
  /** Upper bound of every delay in milliseconds; default 30,000. */
  maxMs?: number
}

/** Waits longer after each failure, by chance, so that many clients do not come back at the same moment. */
export interface Backoff {
  /** Delays handed out since the last {@link reset}. */
  readonly failures: number
  /** The next delay in milliseconds: uniform in [0, min(maxMs, baseMs * 2^failures)), Envoy's fully jittered strategy. */
  nextDelay(): number
  /** Runs `run` after {@link nextDelay}; what it returns cancels. */
  retry(run: () => void): Unsubscribe
  /** Something worked: start small again. */
  reset(): void
}

export function createBackoff({ clock, random, baseMs = 500, maxMs = 30_000 }: BackoffOptions): Backoff {
  let failures = 0
  const nextDelay = (): number => {
    const bound = Math.min(maxMs, baseMs * 2 ** failures)
    failures++
    return Math.floor(random.next() * bound)
  }
  return {
    get failures() {
      return failures
    },
    nextDelay,
    retry: (run) => clock.after(nextDelay(), run),
    reset() {
      failures = 0
    },
  }
}
