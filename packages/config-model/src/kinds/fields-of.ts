import { knownFields } from '../decode/known-fields.js'
import { KINDS } from './all.js'
import type { KindName } from './index.js'

/**
 * Every field that the specs of kinds may have, as paths below each: `http[].match[].uri`, `subsets[].labels`. What several places have in common,
 * such as the settings of a traffic policy, is listed at the first of them. Deprecated spellings that are folded into others are not listed.
 */
export function fieldsOfKinds<K extends KindName>(...kinds: readonly K[]): ReadonlyMap<K, readonly string[]> {
  const seen: Parameters<typeof knownFields>[2] = new Set()
  return new Map(kinds.map((kind) => [kind, knownFields(KINDS[kind].spec, '', seen)]))
}
