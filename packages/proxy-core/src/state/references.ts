import type { ResourceRef } from '@heddle/xds-types'

/** Tells which names of a type are wanted now and no longer, after a batch. */
export type SubscriptionChange = (typeUrl: string, add: readonly string[], drop: readonly string[]) => void

/** Counts who refers to what: a name is subscribed from its first reference to its last. */
export interface References {
  /** `owner` refers to `refs` from now on, and to nothing else. */
  set(owner: string, refs: readonly ResourceRef[]): void
  release(owner: string): void
  /** Reports what has changed since the last call. */
  flush(): void
  wanted(typeUrl: string): ReadonlySet<string>
}

export function createReferences(changed: SubscriptionChange): References {
  const owned = new Map<string, readonly ResourceRef[]>()
  const counts = new Map<string, Map<string, number>>()
  const subscribed = new Map<string, Set<string>>()
  const touched = new Map<string, Set<string>>()

  const count = (ref: ResourceRef, by: number): void => {
    const names = counts.get(ref.typeUrl) ?? new Map<string, number>()
    counts.set(ref.typeUrl, names)
    const next = (names.get(ref.name) ?? 0) + by
    if (next > 0) names.set(ref.name, next)
    else names.delete(ref.name)
    const marks = touched.get(ref.typeUrl) ?? new Set()
    touched.set(ref.typeUrl, marks)
    marks.add(ref.name)
  }
  const set = (owner: string, refs: readonly ResourceRef[]): void => {
    for (const ref of refs) count(ref, 1)
    for (const ref of owned.get(owner) ?? []) count(ref, -1)
    if (refs.length > 0) owned.set(owner, refs)
    else owned.delete(owner)
  }

  return {
    set,
    release: (owner) => set(owner, []),
    flush() {
      for (const [typeUrl, names] of touched) {
        const known = subscribed.get(typeUrl) ?? new Set()
        subscribed.set(typeUrl, known)
        const wanted = counts.get(typeUrl)
        const add = [...names].filter((name) => wanted?.has(name) && !known.has(name))
        const drop = [...names].filter((name) => !wanted?.has(name) && known.has(name))
        for (const name of add) known.add(name)
        for (const name of drop) known.delete(name)
        if (add.length > 0 || drop.length > 0) changed(typeUrl, add, drop)
      }
      touched.clear()
    },
    wanted: (typeUrl) => subscribed.get(typeUrl) ?? new Set(),
  }
}
