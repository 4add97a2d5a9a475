import { suggest } from '@heddle/runtime'
import { describeShape } from './known-fields.js'
import { into, refuse, rootSite, type Site } from './site.js'
import { CODE_TYPE, type Decode, describe, isRecord } from './value.js'

// Without the index signature of open types.
type Known<T> = keyof { [K in keyof T as string extends K ? never : K]: T[K] }

/** A decoder for every field of T: a field that the type has and the shape forgets is a compile error. */
export type Shape<T> = { readonly [K in Known<T> & keyof T]-?: Decode<Exclude<T[K], undefined>> }

export interface FieldsOptions<T> {
  /** Fields that are filled in when absent. */
  defaults?: Partial<T>
  /** Other fields that are read and then folded into T, or dropped: deprecated spellings. */
  legacy?: Readonly<Record<string, Legacy<T>>>
  /** Keep unknown fields as written instead of refusing them: kinds that are not Istio's. */
  open?: boolean
  /** Fields that must be written. Every field that T requires stands here or among the defaults. */
  required?: readonly (Known<T> & keyof T)[]
}

/** Folds a deprecated field into the object, after all others are read. */
export type Legacy<T> = (value: unknown, target: Partial<T>, site: Site) => void

/**
 * An object with known fields. null is absent, as in proto JSON; snake_case names are accepted. Unknown fields are errors with
 * a suggestion.
 */
export function fields<T extends object>(shape: Shape<T>, options: FieldsOptions<T> = {}): Decode<T> {
  const decoders = new Map<string, Decode<unknown>>(Object.entries(shape) as [string, Decode<unknown>][])
  const { defaults, legacy = {}, open = false, required = [] } = options
  const decode: Decode<T> = (value, site) => {
    if (!isRecord(value)) {
      refuse(site, CODE_TYPE, `must be an object, but is ${describe(value)}`)
      return undefined
    }
    const target: Record<string, unknown> = { ...defaults }
    const later: (() => void)[] = []
    for (const key of Object.keys(value)) {
      const written = value[key]
      const name = decoders.has(key) ? key : camelCase(key)
      const read = decoders.get(name)
      if (read !== undefined) {
        if (written === null || written === undefined) continue
        const decoded = read(written, into(site, key))
        if (decoded !== undefined) target[name] = decoded
      } else if (Object.hasOwn(legacy, name)) {
        const fold = legacy[name]
        if (fold !== undefined && written !== null) later.push(() => fold(written, target as Partial<T>, into(site, key)))
      } else if (open) {
        if (key !== '__proto__') target[key] = written
      } else refuseUnknown(into(site, key), key, [...decoders.keys()])
    }
    for (const fold of later) fold()
    let whole = true
    for (const name of required) {
      if (target[name as string] !== undefined) continue
      // A field that was written and refused is told already.
      if (value[name as string] === undefined || value[name as string] === null)
        refuse(into(site, name as string), 'config.required', `${String(name)} is required`)
      const empty = site.found.lenient === true ? decoders.get(name as string)?.({}, rootSite()) : undefined
      if (empty === undefined) whole = false
      else target[name as string] = empty
    }
    return whole ? (target as T) : undefined
  }
  return describeShape(decode, { fields: decoders })
}

function refuseUnknown(site: Site, key: string, known: readonly string[]): void {
  const meant = suggest(key, known)
  const help =
    meant === undefined
      ? known.length === 0
        ? 'nothing may be set here'
        : `known here: ${known.join(', ')}`
      : `did you mean ${meant}?`
  refuse(site, 'config.unknown_field', `unknown field ${JSON.stringify(key)}: ${help}`)
}

function camelCase(name: string): string {
  return name.includes('_') ? name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : name
}
