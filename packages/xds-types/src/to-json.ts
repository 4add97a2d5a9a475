import { setOwn } from './context.js'
import { scalarToJson } from './scalars.js'
import type { Field, JsonOptions, MessageType } from './types.js'

const REDACTED = '[redacted]'

/** Canonical JSON with proto names: fields by number, nothing that JSON cannot hold. Names that the type does not have are left out. */
export function printJson(type: MessageType<unknown>, value: unknown, options: JsonOptions): unknown {
  const json: Record<string, unknown> = {}
  const message = value as Record<string, unknown>
  for (const field of type.table.fields) {
    const name = Object.hasOwn(message, field.name) ? field.name : field.jsonName
    const item = Object.hasOwn(message, name) ? message[name] : undefined
    if (item === undefined || (item === null && !field.nullable)) continue
    json[field.name] = options.redact === true && field.sensitive ? REDACTED : printField(field, item, options)
  }
  return json
}

function printField(field: Field, value: unknown, options: JsonOptions): unknown {
  if (field.map) {
    const map: Record<string, unknown> = {}
    for (const key of Object.keys(value as object).sort())
      setOwn(map, key, printValue(field, (value as Record<string, unknown>)[key], options))
    return map
  }
  return field.repeated ? (value as unknown[]).map((item) => printValue(field, item, options)) : printValue(field, value, options)
}

function printValue(field: Field, value: unknown, options: JsonOptions): unknown {
  if (field.message !== undefined) return printJson(field.message, value, options)
  if (field.wellKnown !== undefined) return field.wellKnown.toJson(value, options)
  if (field.enum !== undefined) return typeof value === 'number' ? (field.enum.nameOf(value) ?? value) : value
  return scalarToJson(value)
}
