/** google.protobuf.FieldMask over canonical JSON. */

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * What of a message the comma-separated paths keep. A path that leads to nothing keeps nothing. Lists end a path: what follows
 * one is undefined, as ProtobufUtil has it. The types of Any stay.
 */
export function maskMessage(message: Json, mask: string): Record<string, unknown> | undefined {
  let kept: Record<string, unknown> | undefined
  for (const path of mask.split(',')) {
    const one = follow(message, path.trim().split('.'))
    if (one !== undefined) kept = merge(kept ?? {}, one)
  }
  return kept
}

function follow(message: Json, [name = '', ...rest]: readonly string[]): Json | undefined {
  if (!Object.hasOwn(message, name)) return undefined
  const value = message[name]
  const type = message['@type'] === undefined ? {} : { '@type': message['@type'] }
  if (rest.length === 0) return { ...type, [name]: value }
  if (!isObject(value)) return undefined
  const inside = follow(value, rest)
  return inside === undefined ? undefined : { ...type, [name]: inside }
}

function merge(a: Json, b: Json): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const before = merged[key]
    merged[key] = isObject(before) && isObject(value) ? merge(before, value) : value
  }
  return merged
}
