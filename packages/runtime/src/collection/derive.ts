import type { Collection, Read } from './collection.js'
import { expose, nodeOf } from './facade.js'
import { groupRecipe } from './group.js'
import { Node } from './node.js'
import { createReader, createUntrackedReader } from './read.js'

/**
 * A collection with at most one output for each input, under the input's key. `build` must be pure and look at other collections only
 * through `read`; it runs again when its input or something that it read changes. Output that is structurally equal to the last is the
 * last (`===`). A build that throws leaves its key without output: see {@link GraphOptions.onError}.
 */
export function derive<I, O>(
  source: Collection<I>,
  build: (input: I, read: Read, key: string) => O | undefined,
  options: { name: string },
): Collection<O> {
  return expose(deriveNode(source, build, options.name), {})
}

/**
 * {@link derive} with any number of outputs for an input, each under a key of its own. Where two inputs give the same key, the one of
 * the input whose key sorts first counts.
 */
export function deriveMany<I, O>(
  source: Collection<I>,
  build: (input: I, read: Read, key: string) => Iterable<readonly [key: string, output: O]>,
  options: { name: string },
): Collection<O> {
  const parts = deriveNode<I, ReadonlyMap<string, O>>(
    source,
    (input, read, key) => new Map(build(input, read, key)),
    options.name,
  )
  const node = new Node<O>(parts.graph, options.name, [parts], () =>
    groupRecipe<ReadonlyMap<string, O>, O, O>(
      (outputs) => outputs,
      (outputs) => outputs[0],
    ),
  )
  parts.graph.add(node)
  return expose(node, {
    dispose() {
      node.dispose()
      parts.dispose()
    },
  })
}

function deriveNode<I, O>(
  source: Collection<I>,
  build: (input: I, read: Read, key: string) => O | undefined,
  name: string,
): Node<O> {
  const input = nodeOf(source)
  const node = new Node<O>(input.graph, name, [input], (self, tracked) => {
    const reader = tracked ? createReader(self) : createUntrackedReader(self)
    return {
      evaluate(key) {
        const value = input.values.get(key)
        if (value === undefined) {
          reader.forget(key)
          return undefined
        }
        if (tracked) self.graph.countBuild(name)
        return reader.run(key, (read) => build(value, read, key))
      },
      dispose: () => reader.forgetAll(),
    }
  })
  node.graph.add(node)
  return node
}
