import type { Patch } from './envoy-filters.js'

/** A list after an operation that adds, removes or replaces elements. `named`: whether the patch says at all which element it means. */
export function editList<T>(list: readonly T[], patch: Patch, named: boolean, matches: (element: T) => boolean): readonly T[] {
  const value = patch.value as T
  const at = named ? list.findIndex(matches) : -1
  switch (patch.operation) {
    case 'ADD':
      return [...list, value]
    case 'INSERT_FIRST':
      return [value, ...list]
    case 'INSERT_AFTER':
      if (!named) return [...list, value]
      return at < 0 ? list : [...list.slice(0, at + 1), value, ...list.slice(at + 1)]
    case 'INSERT_BEFORE':
      if (!named) return [value, ...list]
      return at < 0 ? list : [...list.slice(0, at), value, ...list.slice(at)]
    case 'REPLACE':
      return at < 0 ? list : [...list.slice(0, at), value, ...list.slice(at + 1)]
    case 'REMOVE':
      return at < 0 ? list : list.filter((element) => !matches(element))
    default:
      return list
  }
}

export function merges({ operation }: Patch): boolean {
  return operation === 'MERGE' || operation === 'MERGE_AND_REPLACE_LIST'
}

export function listsOf({ operation }: Patch): 'append' | 'replace' {
  return operation === 'MERGE_AND_REPLACE_LIST' ? 'replace' : 'append'
}
