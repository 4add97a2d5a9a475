import type { Collection } from './collection.js'
import { expose } from './facade.js'
import type { Graph, GraphState } from './graph.js'
import { Node } from './node.js'

/** A collection that is written from outside. A value structurally equal to the present one is not a change. */
export interface Source<T> extends Collection<T> {
  set(key: string, value: T): void
  delete(key: string): void
  /** Several writes as one pass; `undefined` deletes. */
  apply(writes: Iterable<readonly [key: string, value: T | undefined]>): void
  /** Makes `entries` the whole content, in one pass. */
  reset(entries: Iterable<readonly [key: string, value: T]>): void
}

/** An empty collection of `graph`. Writes take effect before the call returns, or at the end of the batch or pass that they are made in. */
export function createSource<T>(options: { graph: Graph; name: string }): Source<T> {
  const graph = options.graph as GraphState
  const node = new Node<T>(graph, options.name, [])
  graph.add(node)
  const source = {
    set: (key: string, value: T) => graph.write(node, [[key, value]]),
    delete: (key: string) => graph.write(node, [[key, undefined]]),
    apply: (writes: Iterable<readonly [string, T | undefined]>) => graph.write(node, writes),
    reset(entries: Iterable<readonly [string, T]>) {
      const writes = new Map<string, T | undefined>(entries)
      for (const key of node.values.keys()) if (!writes.has(key)) writes.set(key, undefined)
      graph.write(node, writes)
    },
  }
  return expose(node, source)
}
