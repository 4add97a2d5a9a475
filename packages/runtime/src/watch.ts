import type { Unsubscribe } from './clock.js'

/** A value that changes, with its current state always at hand. */
export interface Watch<T> {
  readonly current: T
  /** Calls `changed` on every later change, not with the current value. */
  subscribe(changed: (value: T) => void): Unsubscribe
}

/** The writing end of a {@link Watch}. */
export interface WatchSource<T> extends Watch<T> {
  /** Publishes `value`; nothing happens when it is the current one (`===`). */
  set(value: T): void
}

/** A {@link Watch} that starts with `initial`. A subscriber that throws does not keep the others from hearing: the first error is rethrown at the end. */
export function createWatch<T>(initial: T): WatchSource<T> {
  let current = initial
  const subscribers = new Set<(value: T) => void>()
  return {
    get current() {
      return current
    },
    subscribe(changed) {
      const own = (value: T): void => changed(value)
      subscribers.add(own)
      return () => {
        subscribers.delete(own)
      }
    },
    set(value) {
      if (value === current) return
      current = value
      const errors: unknown[] = []
      for (const changed of [...subscribers]) {
        try {
          changed(value)
        } catch (error) {
          errors.push(error)
        }
      }
      if (errors.length > 0) throw errors[0]
    },
  }
}
