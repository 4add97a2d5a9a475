import { isCollection } from './resource-name.js'
import type { SnapshotView } from './resource-view.js'

/** What one stream has being looked for. */
export interface Searches {
  /** Looks for those of `names` that the client's set lacks. */
  begin(typeUrl: string, names: readonly string[], view: SnapshotView): void
  pending(typeUrl: string, name: string): boolean
  /** The client is about to get the newest set: of what was found, or not found, it may be told. */
  settle(): void
}

const WILDCARD = '*'

interface SearchOptions {
  /** Undefined: there is nothing to look for. */
  readonly lookup: (typeUrl: string, name: string) => Promise<void> | undefined
  /** Something that was looked for has been found, or will not be. */
  ended(): void
}

export function createSearches({ lookup, ended }: SearchOptions): Searches {
  const open = new Map<string, Set<string>>()
  // Until the set that has them is in use: a request in between must not be told that there is nothing.
  let over: (() => void)[] = []
  return {
    begin(typeUrl, names, view) {
      for (const name of names) {
        if (
          name === '' ||
          name === WILDCARD ||
          isCollection(name) ||
          open.get(typeUrl)?.has(name) ||
          view.type(typeUrl).get(name) !== undefined
        )
          continue
        const flight = lookup(typeUrl, name)
        if (flight === undefined) continue
        const ofType = open.get(typeUrl) ?? new Set<string>()
        open.set(typeUrl, ofType.add(name))
        void flight.finally(() => {
          over.push(() => ofType.delete(name))
          ended()
        })
      }
    },
    pending: (typeUrl, name) => open.get(typeUrl)?.has(name) ?? false,
    settle() {
      for (const close of over) close()
      over = []
    },
  }
}
