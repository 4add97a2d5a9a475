/** Stops what it was returned for: a subscription, a timer, a watch. Calling it twice does nothing. */
export type Unsubscribe = () => void

/**
 * Time by argument. Outside this package nothing reads the time or owns a timer, so a test can drive a whole mesh with a
 * fake clock (`@heddle/runtime/testing`).
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds from an arbitrary start that never go back; for durations. */
  monotonic(): number
  /** Runs `run` once, `ms` milliseconds from now; 0 means as soon as the event loop turns. The timer does not keep the process alive. */
  after(ms: number, run: () => void): Unsubscribe
  /**
   * Runs `run` when everything that has come in with this turn of the event loop has been heard: what many connections asked
   * for can then be done at once. Absent: the end of the task ({@link queueMicrotask}) is as good.
   */
  readonly endOfTurn?: (run: () => void) => void
}

// The largest delay that setTimeout takes; a longer one would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1

// Found once: the global is an accessor.
const { performance } = globalThis

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  ...(typeof setImmediate === 'function' && { endOfTurn: createEndOfTurn((run) => void setImmediate(run)) }),
  after(ms, run) {
    if (ms > LONGEST_TIMER_MS) {
      let stop = systemClock.after(LONGEST_TIMER_MS, () => {
        stop = systemClock.after(ms - LONGEST_TIMER_MS, run)
      })
      return () => stop()
    }
    const timer = setTimeout(run, ms)
    if (typeof timer === 'object') timer.unref()
    return () => clearTimeout(timer)
  },
}

/** What is asked for within one turn runs in order in one go: each call of the engine's own costs more than most of what it runs. */
function createEndOfTurn(later: (run: () => void) => void): (run: () => void) => void {
  let waiting: (() => void)[] = []
  let spare: (() => void)[] = []
  const runAll = (): void => {
    const now = waiting
    waiting = spare
    let done = 0
    try {
      while (done < now.length) now[done++]!()
    } finally {
      // Those after one that throws have their turn as well.
      if (done < now.length) {
        waiting.unshift(...now.slice(done))
        if (waiting.length === now.length - done) later(runAll)
      }
      now.length = 0
      spare = now
    }
  }
  return (run) => {
    if (waiting.push(run) === 1) later(runAll)
  }
}
