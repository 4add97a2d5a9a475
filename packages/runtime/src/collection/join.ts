import type { Collection } from './collection.js'
import { expose, nodeOf } from './facade.js'
import { Node } from './node.js'

export interface JoinOptions<T> {
  name: string
  /** Makes one value of those that several collections have under one key, in the order of the collections. Default: the first wins. */
  merge?(values: readonly T[], key: string): T | undefined
}

/** All keys of several collections. */
export function join<T>(
  collections: readonly [Collection<T>, ...Collection<T>[]],
  { name, merge }: JoinOptions<T>,
): Collection<T> {
  const inputs = collections.map(nodeOf)
  const { graph } = inputs[0]!
  const node = new Node<T>(graph, name, inputs, (_self, tracked) => ({
    evaluate(key) {
      const values = inputs.flatMap((input) => (input.values.has(key) ? [input.values.get(key)!] : []))
      if (values.length === 0) return undefined
      if (tracked) graph.countBuild(name)
      return merge === undefined || values.length === 1 ? values[0] : merge(values, key)
    },
  }))
  graph.add(node)
  return expose(node, {})
}
