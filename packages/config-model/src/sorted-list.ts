/**
 * `list` without `removed` and with `added`, in the order of `compare`. One pass over the list; the list itself stays as it is.
 * The order must be total: equal elements are one.
 */
export function mergeSorted<T>(
  list: readonly T[],
  removed: ReadonlySet<T>,
  added: readonly T[],
  compare: (a: T, b: T) => number,
): readonly T[] {
  const fresh = [...added].sort(compare)
  const merged: T[] = []
  let next = 0
  for (const element of list) {
    if (removed.has(element)) continue
    while (next < fresh.length && compare(fresh[next]!, element) < 0) merged.push(fresh[next++]!)
    merged.push(element)
  }
  while (next < fresh.length) merged.push(fresh[next++]!)
  return merged
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
