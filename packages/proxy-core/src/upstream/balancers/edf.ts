import type { Random } from '@heddle/runtime'

/** Earliest deadline first: picks items in proportion to their weights, evenly spread. */
export interface EdfScheduler<T> {
  pick(): T | undefined
}

interface Entry<T> {
  deadline: number
  /** Breaks ties in the order of arrival. */
  order: number
  readonly item: T
}

/** `weightOf` is asked at every turn of an item; it must be above 0. `random` spreads the first deadlines, so that proxies do not march in step. */
export function createEdf<T>(items: readonly T[], weightOf: (item: T) => number, random: Random): EdfScheduler<T> {
  let order = 0
  const heap: Entry<T>[] = []
  for (const item of items) {
    heap.push({ deadline: random.next() / weightOf(item), order: order++, item })
    siftUp(heap, heap.length - 1)
  }
  return {
    pick() {
      const top = heap[0]
      if (top === undefined) return undefined
      top.deadline += 1 / weightOf(top.item)
      top.order = order++
      siftDown(heap, 0)
      return top.item
    },
  }
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order)
}

function siftUp<T>(heap: Entry<T>[], start: number): void {
  let at = start
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(heap[at]!, heap[parent]!)) return
    swap(heap, at, parent)
    at = parent
  }
}

function siftDown<T>(heap: Entry<T>[], start: number): void {
  let at = start
  for (;;) {
    let least = at
    for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && before(heap[child]!, heap[least]!)) least = child
    if (least === at) return
    swap(heap, at, least)
    at = least
  }
}

function swap<T>(heap: Entry<T>[], a: number, b: number): void {
  const kept = heap[a]!
  heap[a] = heap[b]!
  heap[b] = kept
}
