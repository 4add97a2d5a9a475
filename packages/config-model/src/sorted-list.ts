import type { Change } from '@heddle/runtime'

/** What a list is sorted by: a key that is worked out once for each element, and how two keys stand. The order should be total. */
export interface Order<T, K> {
  keyOf(element: T): K
  compare(a: K, b: K): number
}

/** An immutable sorted list that is changed in batches. The array is made when somebody asks, so that what nobody reads costs nothing. */
export interface SortedList<T> {
  /** The same array at every call. */
  toArray(): readonly T[]
  with(changes: readonly Change<T>[]): SortedList<T>
}

/** Changes that may wait for a reader; they are kept in memory until then. */
const MOST_PENDING = 256

export function createSortedList<T, K>(order: Order<T, K>): SortedList<T> {
  return wrap([], [], order)
}

function wrap<T, K>(base: readonly T[], pending: readonly Change<T>[], order: Order<T, K>): SortedList<T> {
  let array = pending.length === 0 ? base : undefined
  return {
    toArray: () => (array ??= changed(base, pending, order)),
    with(changes) {
      if (array !== undefined) return settleLarge(array, changes, order)
      return settleLarge(base, [...pending, ...changes], order)
    },
  }
}

function settleLarge<T, K>(base: readonly T[], changes: readonly Change<T>[], order: Order<T, K>): SortedList<T> {
  return changes.length <= MOST_PENDING ? wrap(base, changes, order) : wrap(changed(base, changes, order), [], order)
}

function changed<T, K>(base: readonly T[], changes: readonly Change<T>[], order: Order<T, K>): readonly T[] {
  const { removed, added } = net(changes)
  if ((removed.size + added.size) * 8 > base.length) {
    const all = [...base.filter((element) => !removed.has(element)), ...added].map(
      (element) => [order.keyOf(element), element] as const,
    )
    return all.sort(([a], [b]) => order.compare(a, b)).map(([, element]) => element)
  }
  const next = base.slice()
  for (const element of removed) next.splice(placeOf(next, element, order), 1)
  for (const element of added) next.splice(firstNotBefore(next, order.keyOf(element), order), 0, element)
  return next
}

// What was replaced twice counts once.
function net<T>(changes: readonly Change<T>[]): { removed: Set<T>; added: Set<T> } {
  const removed = new Set<T>()
  const added = new Set<T>()
  for (const { before, after } of changes) {
    if (before !== undefined && !added.delete(before)) removed.add(before)
    if (after !== undefined && !removed.delete(after)) added.add(after)
  }
  return { removed, added }
}

function placeOf<T, K>(list: readonly T[], element: T, order: Order<T, K>): number {
  const at = firstNotBefore(list, order.keyOf(element), order)
  // Elsewhere only among elements that the order takes for equal.
  return list[at] === element ? at : list.indexOf(element)
}

function firstNotBefore<T, K>(list: readonly T[], key: K, order: Order<T, K>): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (order.compare(order.keyOf(list[middle]!), key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
