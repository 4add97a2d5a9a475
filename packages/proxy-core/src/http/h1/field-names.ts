import type { HeaderMap } from '../header-map.js'
import type { Http1CodecOptions } from './options.js'

/** How the name of a field is written. */
export type FieldNames = (name: string) => string

const MOST_KEPT = 1024
const kept = new Map<string, string>()

/** `content-type` as `Content-Type`: a letter after what is neither letter nor digit is a capital. */
export function properCase(name: string): string {
  const known = kept.get(name)
  if (known !== undefined) return known
  const proper = name.replace(/(^|[^a-z0-9])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase())
  if (kept.size < MOST_KEPT) kept.set(name, proper)
  return proper
}

/** Undefined: as they are, in lower case. What the sender of the message wrote comes before the format of the connection. */
export function namesOf({ casing }: HeaderMap, { keyFormat }: Http1CodecOptions): FieldNames | undefined {
  return casing ?? (keyFormat === 'PROPER_CASE' ? properCase : undefined)
}

/** Remembers names as they came. */
export function rememberNames(originals: ReadonlyMap<string, string>, { keyFormat }: Http1CodecOptions): FieldNames {
  const others = keyFormat === 'PRESERVE_CASE_AND_PROPER' ? properCase : (name: string): string => name
  return (name) => originals.get(name) ?? others(name)
}
