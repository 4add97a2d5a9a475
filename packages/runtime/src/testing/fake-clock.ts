import { type Clock, systemClock } from '../clock.js'

/** A {@link Clock} that stands still until it is told to move. */
export interface FakeClock extends Clock {
  /** Timers that wait. */
  readonly pending: number
  /** Moves time forward and runs what falls due, in order of time, then of creation, including what those timers add. `advance(0)` runs `after(0)`. */
  advance(ms: number): void
  /** {@link advance} that lets promises settle before, between and after the timers. */
  advanceAsync(ms: number): Promise<void>
}

interface Timer {
  due: number
  order: number
  run: () => void
}

// A timer that adds itself again at once would never end.
const MOST_TIMERS_AN_ADVANCE = 100_000

/** `now`: wall-clock milliseconds at the start; default 2026-01-01T00:00:00Z. Monotonic time starts at 0. */
export function createFakeClock({ now: start = 1_767_225_600_000 }: { now?: number } = {}): FakeClock {
  const timers = new Set<Timer>()
  let elapsed = 0
  let created = 0

  const nextDue = (until: number): Timer | undefined => {
    let first: Timer | undefined
    for (const timer of timers) {
      if (timer.due > until) continue
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer
    }
    return first
  }
  const runNext = (until: number): boolean => {
    const timer = nextDue(until)
    if (timer === undefined) {
      elapsed = until
      return false
    }
    timers.delete(timer)
    elapsed = timer.due
    timer.run()
    return true
  }
  const count = (ran: number): void => {
    if (ran > MOST_TIMERS_AN_ADVANCE)
      throw new Error(`more than ${MOST_TIMERS_AN_ADVANCE} timers in one advance: does a timer add itself again at once?`)
  }
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    after(ms, run) {
      const timer = { due: elapsed + Math.max(0, ms), order: created++, run }
      timers.add(timer)
      return () => {
        timers.delete(timer)
      }
    },
    get pending() {
      return timers.size
    },
    advance(ms) {
      const until = elapsed + ms
      for (let ran = 0; runNext(until); ran++) count(ran)
    },
    async advanceAsync(ms) {
      const until = elapsed + ms
      await turn()
      for (let ran = 0; runNext(until); ran++) {
        count(ran)
        await turn()
      }
    },
  }
}

/** A turn of the real event loop, in which all promises that can settle do. */
function turn(): Promise<void> {
  return new Promise((resolve) => void systemClock.after(0, resolve))
}
