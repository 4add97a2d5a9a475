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

/**
 * What `build` makes of each value of `source`. Computed when somebody looks or subscribes, once per value of the source; an
 * output that is the last one (`===`) is not announced.
 */
export function mapWatch<I, O>(source: Watch<I>, build: (value: I) => O): Watch<O> {
  let built: { readonly from: I; readonly output: O } | undefined
  const outputOf = (value: I): O => {
    if (built === undefined || built.from !== value) built = { from: value, output: build(value) }
    return built.output
  }
  return {
    get current() {
      return outputOf(source.current)
    },
    subscribe(changed) {
      let last = outputOf(source.current)
      return source.subscribe((value) => {
        const next = outputOf(value)
        if (next === last) return
        last = next
        changed(next)
      })
    },
  }
}
