import { createWatch, type Unsubscribe, type Watch, type WatchSource } from '@heddle/runtime'

/** Values that arrive by name, some time or never: endpoints, route tables, secrets. */
export interface NamedValues<T> {
  /** The same Watch for a name, whether its value is there yet or not. */
  watch(name: string): Watch<T | undefined>
  get(name: string): T | undefined
  set(name: string, value: T): void
  /** The server says that there is none. A value at hand stays: the last good one serves until another comes. */
  markAbsent(name: string): void
  /** The server has taken it back: nothing serves in its place. */
  clear(name: string): void
  /** Nobody refers to it any more. Who still holds the Watch keeps the last value. */
  forget(name: string): void
  /** There is a value, or there is known to be none. */
  settled(name: string): boolean
  /** Runs once, at the next moment when `name` settles. */
  onSettled(name: string, run: () => void): Unsubscribe
  entries(): IterableIterator<[name: string, value: T]>
}

export function createNamedValues<T>(): NamedValues<T> {
  const sources = new Map<string, WatchSource<T | undefined>>()
  const absent = new Set<string>()
  const waiting = new Map<string, Set<() => void>>()

  const sourceOf = (name: string): WatchSource<T | undefined> => {
    let source = sources.get(name)
    if (source === undefined) {
      source = createWatch<T | undefined>(undefined)
      sources.set(name, source)
    }
    return source
  }
  const settle = (name: string): void => {
    const runs = waiting.get(name)
    waiting.delete(name)
    for (const run of runs ?? []) run()
  }

  return {
    watch: sourceOf,
    get: (name) => sources.get(name)?.current,
    set(name, value) {
      absent.delete(name)
      sourceOf(name).set(value)
      settle(name)
    },
    markAbsent(name) {
      if (sources.get(name)?.current !== undefined) return
      absent.add(name)
      settle(name)
    },
    clear(name) {
      sources.get(name)?.set(undefined)
      absent.add(name)
      settle(name)
    },
    forget(name) {
      sources.delete(name)
      absent.delete(name)
    },
    settled: (name) => absent.has(name) || sources.get(name)?.current !== undefined,
    onSettled(name, run) {
      const runs = waiting.get(name) ?? new Set()
      waiting.set(name, runs)
      runs.add(run)
      return () => {
        runs.delete(run)
      }
    },
    *entries() {
      for (const [name, source] of sources) if (source.current !== undefined) yield [name, source.current]
    },
  }
}
