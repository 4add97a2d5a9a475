import type { Recipe } from './node.js'

/**
 * Spreads each input over keys of its own choice and makes one output of what comes together under a key. `spread` gives the key's
 * contributions of one input; `gather` gets those of all inputs, in order of the inputs' keys.
 */
export function groupRecipe<I, V, O>(
  spread: (value: I, key: string) => ReadonlyMap<string, V>,
  gather: (contributions: readonly V[]) => O | undefined,
  onBuild?: () => void,
): Recipe<O> {
  const groups = new Map<string, Map<string, V>>()
  const given = new Map<string, ReadonlyMap<string, V>>()
  return {
    onInput(_input, { key, after }) {
      const before = given.get(key)
      const now = after === undefined ? undefined : spread(after as I, key)
      if (now === undefined || now.size === 0) given.delete(key)
      else given.set(key, now)
      const touched = new Set<string>()
      for (const groupKey of before?.keys() ?? []) {
        if (now?.has(groupKey)) continue
        touched.add(groupKey)
        groups.get(groupKey)!.delete(key)
      }
      for (const [groupKey, value] of now ?? []) {
        const group = groups.get(groupKey) ?? new Map<string, V>()
        if (group.get(key) === value && group.has(key)) continue
        touched.add(groupKey)
        groups.set(groupKey, group.set(key, value))
      }
      return touched
    },
    evaluate(groupKey) {
      const group = groups.get(groupKey)
      if (group === undefined) return undefined
      if (group.size === 0) {
        groups.delete(groupKey)
        return undefined
      }
      onBuild?.()
      return gather([...group.keys()].sort().map((key) => group.get(key)!))
    },
  }
}
