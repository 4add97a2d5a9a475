import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { CaseResult } from './suite.js'

/** The cases of one suite that we know to judge otherwise. */
export interface KnownMisses {
  /** Undefined: not listed. */
  reasonOf(id: string): string | undefined
  /** Listed with a reason that begins `either way: `: it depends on how busy a machine is, and counts neither way. */
  eitherWay(id: string): boolean
}

const EITHER_WAY = 'either way: '

const fileOf = (suite: string): URL => new URL(`known-misses/${suite}.json`, import.meta.url)

/** `known-misses/<suite>.json`: `{ reason: [id] }`; none: nothing is missed. */
export function readMissLists(suite: string): KnownMissLists {
  const file = fileOf(suite)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KnownMissLists) : {}
}

/** The lists of a suite. An id that ends in `*` stands for all that start so. */
export function readKnownMisses(suite: string): KnownMisses {
  return createKnownMisses(readMissLists(suite))
}

/** Takes what passes off the list of a suite. Nothing is ever put on it here: that takes a reason. */
export function pruneKnownMisses(suite: string, cases: readonly CaseResult[]): void {
  writeFileSync(fileOf(suite), `${JSON.stringify(withoutPassing(readMissLists(suite), cases), undefined, 2)}\n`)
}

/** A `*` of which a part passes becomes the ids that do not. */
export function withoutPassing(lists: KnownMissLists, cases: readonly CaseResult[]): KnownMissLists {
  const left = (id: string): readonly string[] => {
    const meant = cases.filter((one) => (id.endsWith('*') ? one.id.startsWith(id.slice(0, -1)) : one.id === id))
    return meant.some(({ ok }) => ok) ? meant.filter(({ ok }) => !ok).map((one) => one.id) : [id]
  }
  const entries = Object.entries(lists).map(
    ([reason, ids]) => [reason, reason.startsWith(EITHER_WAY) ? ids : ids.flatMap(left)] as const,
  )
  return Object.fromEntries(entries.filter(([, ids]) => ids.length > 0))
}

export type KnownMissLists = Readonly<Record<string, readonly string[]>>

export function createKnownMisses(lists: KnownMissLists): KnownMisses {
  const exact = new Map<string, string>()
  const prefixes: (readonly [string, string])[] = []
  for (const [reason, ids] of Object.entries(lists))
    for (const id of ids)
      if (id.endsWith('*')) prefixes.push([id.slice(0, -1), reason])
      else exact.set(id, reason)
  const reasonOf: KnownMisses['reasonOf'] = (id) => exact.get(id) ?? prefixes.find(([prefix]) => id.startsWith(prefix))?.[1]
  return { reasonOf, eitherWay: (id) => reasonOf(id)?.startsWith(EITHER_WAY) ?? false }
}
