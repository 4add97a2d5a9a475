import type { Collection, Index, Read } from './collection.js'
import { nodeOf } from './facade.js'
import type { Cell, Node, Readers } from './node.js'

/** Runs builds of one node and remembers what each key read. */
export interface Reader {
  run<O>(key: string, build: (read: Read) => O): O
  /** `key` has no output any more, nor do its reads count. */
  forget(key: string): void
  forgetAll(): void
}

interface Tracked {
  readonly cell: Cell
  reads: Set<Readers>
}

const NO_VALUES: readonly never[] = Object.freeze([])

export function createReader(node: Node<unknown>): Reader {
  const cells = new Map<string, Tracked>()
  let reads: Set<Readers> | undefined

  const read = createRead(
    node,
    (readers) => reads!.add(readers),
    () => reads !== undefined,
  )
  return {
    run(key, build) {
      const fresh = new Set<Readers>()
      reads = fresh
      try {
        return build(read)
      } finally {
        reads = undefined
        track(cells, node, key, fresh)
      }
    },
    forget: (key) => track(cells, node, key, new Set()),
    forgetAll() {
      for (const key of [...cells.keys()]) track(cells, node, key, new Set())
    },
  }
}

/** A reader that runs builds and remembers nothing. */
export function createUntrackedReader(node: Node<unknown>): Reader {
  let running = false
  const read = createRead(
    node,
    () => {},
    () => running,
  )
  return {
    run(_key, build) {
      running = true
      try {
        return build(read)
      } finally {
        running = false
      }
    },
    forget() {},
    forgetAll() {},
  }
}

function createRead(node: Node<unknown>, record: (readers: Readers) => void, running: () => boolean): Read {
  const open = <T>(collection: Collection<T>): Node<T> => {
    if (!running()) throw new Error(`read of ${node.name} is used after its build`)
    const target = nodeOf(collection)
    if (!node.upstream.has(target)) {
      if (target.graph !== node.graph) throw new Error(`${node.name} reads ${target.name} of another graph`)
      if (!node.graph.nodes.has(target)) throw new Error(`${node.name} reads ${target.name}, which is disposed of`)
      target.settle()
      node.upstream.add(target)
    }
    return target
  }
  const get = <T>(collection: Collection<T>, key: string): T | undefined => {
    const target = open(collection)
    record(target.readersOf(key))
    return target.values.get(key)
  }
  return {
    get,
    list: <T>(index: Index<T>, key: string) => get(index, key) ?? NO_VALUES,
    all(collection) {
      const target = open(collection)
      record(target.readersOfAll)
      return target.sorted
    },
  }
}

/** Makes `fresh` the reads of `key`. */
function track(cells: Map<string, Tracked>, node: Node<unknown>, key: string, fresh: Set<Readers>): void {
  const known = cells.get(key)
  if (known === undefined && fresh.size === 0) return
  const { cell, reads } = known ?? { cell: { node, key }, reads: new Set<Readers>() }
  for (const readers of fresh) readers.cells.add(cell)
  for (const readers of reads) {
    if (fresh.has(readers)) continue
    readers.cells.delete(cell)
    readers.prune()
  }
  if (fresh.size === 0) cells.delete(key)
  else if (known === undefined) cells.set(key, { cell, reads: fresh })
  else known.reads = fresh
}
