import type { JsonPlace, Place, TypeRegistry } from './types.js'

/** Messages nested deeper than this are refused, as protobuf's own implementations do. */
export const MAX_DEPTH = 100
/** Longer input is refused; 64 MiB. */
export const MAX_BYTES: number = 64 * 1024 * 1024

/** JSON with more values is refused: a few lines of YAML aliases can stand for billions. */
export const MAX_VALUES = 5_000_000

/** A value handed to `encode` is not what its type says: a mistake in the calling program, or in a patch that a user wrote. */
export class EncodeError extends Error {
  override readonly name: string = 'EncodeError'
  readonly path: string

  constructor(path: string, message: string) {
    super(path === '' ? message : `${path}: ${message}`)
    this.path = path
  }
}

/** @param keeping see {@link Place.keeping} */
export function createPlace(registry: TypeRegistry | undefined, keeping = false): Place {
  return { registry, keeping, depth: 0 }
}

/** Counts an object or a list of `size` values. False, noted once, when the input has too many. */
export function countJson(path: string, size: number, place: JsonPlace): boolean {
  const before = place.values
  place.values += size + 1
  if (before <= MAX_VALUES && place.values > MAX_VALUES) noteJson(place, 'too_large', path, `more than ${MAX_VALUES} values`)
  return place.values <= MAX_VALUES
}

/** Goes one level down, into `size` values; whoever gets true goes up again. False, with a note, when that is too deep or too much. */
export function enterJson(path: string, size: number, place: JsonPlace): boolean {
  if (place.depth >= MAX_DEPTH) {
    noteJson(place, 'too_deep', path, `nested deeper than ${MAX_DEPTH}`)
    return false
  }
  if (!countJson(path, size, place)) return false
  place.depth++
  return true
}

export function noteJson(place: JsonPlace, code: string, path: string, message: string): undefined {
  place.diagnostics.push({ code: `xds.${code}`, severity: 'error', path, message })
}

/** `a value` in words for a message. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return value.length > 40 ? `the text '${value.slice(0, 40)}…'` : `the text '${value}'`
  if (typeof value === 'object') return 'an object'
  return `the ${typeof value} ${String(value)}`
}

/** What maps and structs are made of: nothing is inherited. Unlike Object.create(null) V8 keeps these as small as other objects. */
export const EmptyMap: new () => Record<string, unknown> = /*#__PURE__*/ createEmptyMap()

function createEmptyMap(): new () => Record<string, unknown> {
  const EmptyMap = function EmptyMap(): void {}
  EmptyMap.prototype = Object.freeze(Object.create(null))
  return EmptyMap as unknown as new () => Record<string, unknown>
}

/** In the order of the wire, in which most are made. */
export function sortedKeys(map: object): string[] {
  const keys = Object.keys(map)
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] as string) > (keys[i] as string)) return keys.sort()
  return keys
}

/** Adds a property even when it is called `__proto__`. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else (target as Record<string, unknown>)[key] = value
}

export function joinPath(path: string, step: string | number): string {
  return typeof step === 'number' ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`
}
