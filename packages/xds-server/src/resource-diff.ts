import type { GroupIndex, TypeView } from './resource-view.js'

/** What leads from one view to another, by name. */
export interface ResourceDiff {
  /** Added, or with another version. */
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

const NOTHING: ResourceDiff = { changed: [], removed: [] }
const EMPTY_GROUP: GroupIndex = { byName: new Map(), sums: [0, 0], diagnostics: [] }

// A pair of groups is compared once, however many nodes hold them.
const pairs = new WeakMap<GroupIndex, WeakMap<GroupIndex, ResourceDiff>>()

/** The difference of two views. Groups that both hold cost nothing; the others are compared once per pair, for all nodes. */
export function diffViews(from: TypeView, to: TypeView): ResourceDiff {
  if (from === to || from.content === to.content) return NOTHING
  const kept = new Set(from.groups)
  const added = to.groups.filter((group) => !kept.delete(group))
  const gone = [...kept]
  const changed: string[] = []
  const removed: string[] = []
  for (let i = 0; i < Math.max(added.length, gone.length); i++) {
    const diff = diffGroups(gone[i] ?? EMPTY_GROUP, added[i] ?? EMPTY_GROUP)
    // A name may have moved from one group to another: the views have the last word.
    for (const name of diff.changed) if (from.get(name)?.version !== to.get(name)?.version) changed.push(name)
    for (const name of diff.removed) if (to.get(name) === undefined && from.get(name) !== undefined) removed.push(name)
  }
  return { changed, removed }
}

function diffGroups(from: GroupIndex, to: GroupIndex): ResourceDiff {
  let row = pairs.get(from)
  if (row === undefined) pairs.set(from, (row = new WeakMap()))
  let diff = row.get(to)
  if (diff === undefined) row.set(to, (diff = compare(from, to)))
  return diff
}

function compare(from: GroupIndex, to: GroupIndex): ResourceDiff {
  const changed: string[] = []
  const removed: string[] = []
  for (const [name, resource] of to.byName) if (from.byName.get(name)?.version !== resource.version) changed.push(name)
  for (const name of from.byName.keys()) if (!to.byName.has(name)) removed.push(name)
  return { changed, removed }
}
