import type { Unsubscribe, Watch } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'

/**
 * Several caches as one: the groups of all parts together. While a part has nothing to say the whole has nothing to say either, so that no
 * client is ever told that what is only late does not exist (xds-protocol 10, 73). Of a name in two parts the first part's counts.
 */
export function muxWatches(parts: readonly Watch<ResourceSet | undefined>[]): Watch<ResourceSet | undefined> {
  let from: readonly (ResourceSet | undefined)[] | undefined
  let joined: ResourceSet | undefined
  return {
    get current() {
      const now = parts.map((part) => part.current)
      // The same parts are the same set: what was diffed and encoded for it stays.
      if (from === undefined || now.some((set, i) => set !== from?.[i])) {
        from = now
        joined = join(now)
      }
      return joined
    },
    subscribe(changed) {
      const stops: Unsubscribe[] = parts.map((part) => part.subscribe(() => changed(this.current)))
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

function join(sets: readonly (ResourceSet | undefined)[]): ResourceSet | undefined {
  const groups = []
  const versions = []
  for (const set of sets) {
    if (set === undefined) return undefined
    groups.push(...set.groups)
    if (set.version !== undefined) versions.push(set.version)
  }
  // A name for a part is none for the whole.
  return versions.length < sets.length || versions.length === 0 ? { groups } : { groups, version: versions.join('+') }
}
