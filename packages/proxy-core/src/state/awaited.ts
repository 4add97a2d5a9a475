import type { Clock } from '@heddle/runtime'
import type { NamedValues } from './named-values.js'

/** Waits of requests for what arrives by name. */
export interface Awaited {
  /** Resolves when `name` settles, at the latest when time is up. Undefined: it has settled. Who asks for the same name shares the wait. */
  wait(name: string): Promise<void> | undefined
}

/** `timeoutMs`: the longest wait; 0: for ever. */
export function createAwaited(values: NamedValues<unknown>, clock: Clock, timeoutMs: number): Awaited {
  const waits = new Map<string, Promise<void>>()
  return {
    wait(name) {
      if (values.settled(name)) return undefined
      const known = waits.get(name)
      if (known !== undefined) return known
      const wait = new Promise<void>((resolve) => {
        const end = (): void => {
          waits.delete(name)
          stopValue()
          stopTimer()
          resolve()
        }
        const stopValue = values.onSettled(name, end)
        const stopTimer = timeoutMs > 0 ? clock.after(timeoutMs, end) : () => {}
      })
      waits.set(name, wait)
      return wait
    },
  }
}
