import type { Decode } from './value.js'

/** What a decoder reads: an object with known fields, or elements of a list or map. Anything else is a value. */
type Shape =
  | { readonly fields: ReadonlyMap<string, Decode<unknown>> }
  | { readonly elements: Decode<unknown>; readonly mark: '[]' | '{}' }

const shapes = new WeakMap<Decode<never>, Shape>()

/** Says what `decode` reads, so that its fields can be listed. Gives it back. */
export function describeShape<T>(decode: Decode<T>, shape: Shape): Decode<T> {
  shapes.set(decode as Decode<never>, shape)
  return decode
}

/**
 * The paths of all fields that a decoder knows: `http[].route[].destination.host`, `labels{}`. Objects that hold fields stand there, too. What several
 * fields have in common, such as the settings of a traffic policy, is listed at the first of them.
 */
export function knownFields(decode: Decode<unknown>, path = '', seen: Set<Decode<never>> = new Set()): readonly string[] {
  const shape = shapes.get(decode as Decode<never>)
  if (shape === undefined || seen.has(decode as Decode<never>)) return []
  seen.add(decode as Decode<never>)
  if ('elements' in shape) return knownFields(shape.elements, `${path}${shape.mark}`, seen)
  return [...shape.fields].flatMap(([name, inner]) => {
    const own = path === '' ? name : `${path}.${name}`
    return [own, ...knownFields(inner, own, seen)]
  })
}
