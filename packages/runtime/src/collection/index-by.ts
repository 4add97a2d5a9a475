import { BuildError } from './build-error.js'
import type { Collection, Index } from './collection.js'
import { expose, nodeOf } from './facade.js'
import { groupRecipe } from './group.js'
import { Node } from './node.js'

/**
 * Groups the values of a collection by the key or keys that `keysOf` gives; none leaves the value out. The index is a collection of its
 * groups, so that one can derive from it: one output for each group.
 */
export function index<T>(
  source: Collection<T>,
  keysOf: (value: T, key: string) => string | readonly string[] | undefined,
  options: { name: string },
): Index<T> {
  const input = nodeOf(source)
  const { graph } = input
  const node = new Node<readonly T[]>(graph, options.name, [input], (_self, tracked) =>
    groupRecipe<T, T, readonly T[]>(
      (value, key) => {
        try {
          const keys = keysOf(value, key)
          return new Map((typeof keys === 'string' ? [keys] : (keys ?? [])).map((groupKey) => [groupKey, value]))
        } catch (error) {
          if (tracked) graph.report(new BuildError(options.name, key, error))
          return new Map()
        }
      },
      (values) => values,
      tracked ? () => graph.countBuild(options.name) : undefined,
    ),
  )
  graph.add(node)
  const face: Index<T> = expose(node, { list: (key: string): readonly T[] => face.get(key) ?? NO_VALUES })
  return face
}

const NO_VALUES: readonly never[] = Object.freeze([])
