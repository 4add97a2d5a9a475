import { parseDuration } from './duration.js'
import { describeShape } from './known-fields.js'
import { into, refuse, type Site } from './site.js'

/** Reads an unknown value at a place; undefined: a problem was told there. */
export type Decode<T> = (value: unknown, site: Site) => T | undefined

export const CODE_TYPE = 'config.type'
export const CODE_DEPRECATED = 'config.deprecated'

/** What a value is, for people. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`
  return `the ${typeof value} ${String(value)}`
}

function mismatch(site: Site, wanted: string, value: unknown): undefined {
  refuse(site, CODE_TYPE, `must be ${wanted}, but is ${describe(value)}`)
  return undefined
}

/** Text. YAML makes numbers and booleans of unquoted `1`, `true`, `yes`, `on`, `y`; they are refused, as in Istio. */
export const text: Decode<string> = (value, site) => {
  if (typeof value === 'string') return value
  if (typeof value !== 'object') {
    const hint = typeof value === 'boolean' ? ' (y, n, yes, no, on and off are booleans in YAML)' : ''
    refuse(site, CODE_TYPE, `must be text, but is ${describe(value)}${hint}: put it in quotes`)
    return undefined
  }
  return mismatch(site, 'text', value)
}

/** true or false. */
export const flag: Decode<boolean> = (value, site) =>
  typeof value === 'boolean' ? value : mismatch(site, 'true or false', value)

/** A finite number; proto JSON allows it as text. */
export const decimal: Decode<number> = (value, site) => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : mismatch(site, 'a number', value)
}

function integer(lowest: number, highest: number): Decode<number> {
  return (value, site) => {
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number)) return mismatch(site, 'a whole number', value)
    if (number < lowest || number > highest) return mismatch(site, `a whole number from ${lowest} to ${highest}`, value)
    return number
  }
}

export const int32: Decode<number> = integer(-(2 ** 31), 2 ** 31 - 1)
export const uint32: Decode<number> = integer(0, 2 ** 32 - 1)
/** Up to what a JavaScript number holds exactly. */
export const uint64: Decode<number> = integer(0, Number.MAX_SAFE_INTEGER)

/** `1.5s`, `1h30m`, `100ms`: milliseconds. */
export const duration: Decode<number> = (value, site) => {
  const parsed = typeof value === 'string' ? parseDuration(value) : undefined
  return parsed ?? mismatch(site, 'a duration such as 1.5s, 100ms or 1h30m', value)
}

/** Anything, as written. */
export const anything: Decode<unknown> = (value) => value

/** An object of any content, as written. */
export const struct: Decode<Readonly<Record<string, unknown>>> = (value, site) =>
  isRecord(value) ? value : mismatch(site, 'an object', value)

/** One of the names of an enum; its number is accepted, too, when the names stand in their order from 0. */
export function oneOf<const N extends string>(...names: readonly N[]): Decode<N> {
  return (value, site) => {
    if (typeof value === 'number') return names[value] ?? mismatch(site, `one of ${names.join(', ')}`, value)
    if (typeof value === 'string' && (names as readonly string[]).includes(value)) return value as N
    const known = typeof value === 'string' ? names.find((name) => name.toLowerCase() === value.toLowerCase()) : undefined
    if (known === undefined) return mismatch(site, `one of ${names.join(', ')}`, value)
    refuse(site, CODE_TYPE, `must be written ${known}, not ${String(value)}`)
    return undefined
  }
}

/** A list. What is wrong in an element is told and the element left out; so is an empty one (null), unless `empty` says what it stands for. */
export function listOf<T>(decode: Decode<T>, empty?: T): Decode<readonly T[]> {
  const list: Decode<readonly T[]> = (value, site) => {
    if (!Array.isArray(value)) return mismatch(site, 'a list', value)
    const elements: T[] = []
    for (let i = 0; i < value.length; i++) {
      const at = into(site, i)
      if (value[i] === null || value[i] === undefined) {
        if (empty !== undefined) elements.push(empty)
        else {
          refuse(at, CODE_TYPE, 'is nil: remove the dash or write the element')
          site.found.moved = true
        }
        continue
      }
      const element = decode(value[i], at)
      if (element !== undefined) elements.push(element)
      else site.found.moved = true
    }
    return elements
  }
  return describeShape(list, { elements: decode, mark: '[]' })
}

/** An object with free keys. */
export function mapOf<T>(decode: Decode<T>, nullMessage?: (key: string) => string): Decode<Readonly<Record<string, T>>> {
  const map: Decode<Readonly<Record<string, T>>> = (value, site) => {
    if (!isRecord(value)) return mismatch(site, 'an object', value)
    const entries: Record<string, T> = {}
    for (const key of Object.keys(value)) {
      const entry = value[key]
      if (entry === null) {
        refuse(into(site, key), CODE_TYPE, nullMessage?.(key) ?? 'has no value: write one, or remove the key')
        continue
      }
      const decoded = decode(entry, into(site, key))
      if (decoded !== undefined) setOwn(entries, key, decoded)
    }
    return entries
  }
  return describeShape(map, { elements: decode, mark: '{}' })
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets an own property even for a key such as `__proto__`. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else (target as Record<string, unknown>)[key] = value
}

/** Kubernetes IntOrString: a port number, or the name of a port. Digits in quotes are a number. */
export const numberOrName: Decode<number | string> = (value, site) => {
  if (typeof value === 'string' && !/^\d+$/.test(value)) return value
  return uint32(value, site)
}
