import type { Clock, Unsubscribe } from '@heddle/runtime'

/** Has what is open report every so often, all of it at once: one timer, and only while there is something. */
export interface Reporting {
  /** Until the returned function is called. */
  add(report: () => void): Unsubscribe
}

/** `ms` 0: never. */
export function createReporting(clock: Pick<Clock, 'after'>, ms: number): Reporting {
  const open = new Set<() => void>()
  let stop: Unsubscribe | undefined
  const tick = (): void => {
    stop = clock.after(ms, tick)
    for (const report of open) report()
  }
  return {
    add(report) {
      if (ms <= 0) return () => {}
      open.add(report)
      stop ??= clock.after(ms, tick)
      return () => {
        open.delete(report)
        if (open.size > 0) return
        stop?.()
        stop = undefined
      }
    },
  }
}
