import { existsSync, readFileSync } from 'node:fs'

/** The cases of one suite that we know to judge otherwise. */
export interface KnownMisses {
  /** Undefined: not listed. */
  reasonOf(id: string): string | undefined
}

/** `known-misses/<suite>.json`: `{ reason: [id] }`. An id that ends in `*` stands for all that start so. */
export function readKnownMisses(suite: string): KnownMisses {
  const file = new URL(`known-misses/${suite}.json`, import.meta.url)
  return createKnownMisses(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KnownMissLists) : {})
}

export type KnownMissLists = Readonly<Record<string, readonly string[]>>

export function createKnownMisses(lists: KnownMissLists): KnownMisses {
  const exact = new Map<string, string>()
  const prefixes: (readonly [string, string])[] = []
  for (const [reason, ids] of Object.entries(lists))
    for (const id of ids)
      if (id.endsWith('*')) prefixes.push([id.slice(0, -1), reason])
      else exact.set(id, reason)
  return { reasonOf: (id) => exact.get(id) ?? prefixes.find(([prefix]) => id.startsWith(prefix))?.[1] }
}
