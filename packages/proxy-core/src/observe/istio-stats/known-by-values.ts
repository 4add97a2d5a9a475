/** What was made for lists of values, found again by equal ones: level by level, since values that others choose may hold any separator. */
export interface KnownByValues<T> {
  get(values: readonly string[]): T | undefined
  /** Beyond `limit` nothing more is kept. All lists have one length, 1 or more. */
  keep(values: readonly string[], value: T): void
}

type Level<T> = Map<string, Level<T> | T>

export function createKnownByValues<T>(limit: number): KnownByValues<T> {
  const root: Level<T> = new Map()
  let count = 0
  return {
    get(values) {
      let found: Level<T> | T | undefined = root
      for (let i = 0; i < values.length; i++) {
        found = (found as Level<T>).get(values[i]!)
        if (found === undefined) return undefined
      }
      return found as T
    },
    keep(values, value) {
      if (count >= limit) return
      count++
      const last = values.length - 1
      let level = root
      for (let i = 0; i < last; i++) {
        let next = level.get(values[i]!) as Level<T> | undefined
        if (next === undefined) level.set(values[i]!, (next = new Map()))
        level = next
      }
      level.set(values[last]!, value)
    },
  }
}
