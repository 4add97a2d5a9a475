import type { Collection } from './collection.js'
import type { Node, Subscriber } from './node.js'

// A collection is what users hold, a node what the engine works on: under a key of ours, that no copy has. (A WeakMap of all collections is
// gone through by every garbage collection.)
const NODE: unique symbol = Symbol('node')

/** The engine's side of a collection; throws for one that another implementation made. */
export function nodeOf<T>(collection: Collection<T>): Node<T> {
  const node = (collection as { readonly [NODE]?: Node<unknown> })[NODE]
  if (node === undefined) throw new Error(`${collection.name} is not a collection of createSource, derive, join or index`)
  return node as Node<T>
}

/** Gives `node` its public face, with what `extra` adds. */
export function expose<T, E extends object>(node: Node<T>, extra: E): Collection<T> & E {
  const values = (): ReadonlyMap<string, T> => {
    // Untracked, the output would miss the next change, and may see a node that has not settled.
    if (node.graph.phase === 'building')
      throw new Error(`a build looks at ${node.name} past read: use read.get, read.list or read.all`)
    return node.values
  }
  const collection: Collection<T> = {
    name: node.name,
    graph: node.graph,
    get size() {
      return values().size
    },
    get: (key) => values().get(key),
    entries: () => values().entries(),
    subscribe(batch) {
      node.graph.refuseInBuild()
      const subscriber: Subscriber<T> = { batch }
      node.subscribers.add(subscriber)
      return () => {
        node.subscribers.delete(subscriber)
      }
    },
    dispose: () => node.dispose(),
  }
  // Not spread: that would freeze the getters.
  return Object.defineProperty(Object.assign(collection, extra), NODE, { value: node })
}
