import { countJson, describe, EmptyMap, enterJson, joinPath, noteJson, setOwn } from './context.js'
import { KIND } from './kinds.js'
import { kindName, normalScalar } from './scalars.js'
import type { EnumType, Field, JsonPlace, MessageType } from './types.js'

/** JSON in either spelling to the in-memory form; whatever is wrong is noted with its path, and reading goes on. */
export function readJson(
  type: MessageType<unknown>,
  json: unknown,
  path: string,
  place: JsonPlace,
): Record<string, unknown> | undefined {
  if (!isObject(json)) return noteJson(place, 'wrong_type', path, `expected ${type.typeName}, an object; got ${describe(json)}`)
  const keys = Object.keys(json)
  if (!enterJson(path, keys.length, place)) return undefined
  const message: Record<string, unknown> = {}
  const { byName } = type.table
  for (const key of keys) {
    const item = json[key]
    if (item === undefined || key === '@type') continue
    const field = byName.get(key)
    if (field === undefined) {
      noteJson(place, 'unknown_field', joinPath(path, key), `${type.typeName} has no field '${key}'${suggestion(type, key)}`)
      continue
    }
    if (item === null && !field.nullable) continue
    const value = readField(field, item, joinPath(path, key), place)
    if (value === undefined) continue
    refuseSecond(field, message, joinPath(path, key), place)
    message[field.name] = value
  }
  place.depth--
  return message
}

function refuseSecond(field: Field, message: Record<string, unknown>, path: string, place: JsonPlace): void {
  if (Object.hasOwn(message, field.name))
    noteJson(
      place,
      'duplicate_field',
      path,
      `'${field.name}' is given twice, as '${field.name}' and '${field.jsonName}'; keep one`,
    )
  if (field.oneof === undefined) return
  const { name, members } = field.oneof
  const other = members.find((member) => member !== field.name && Object.hasOwn(message, member))
  if (other !== undefined)
    noteJson(place, 'oneof', path, `only one of '${other}' and '${field.name}' may be set (oneof ${name}); keep one`)
}

function readField(field: Field, json: unknown, path: string, place: JsonPlace): unknown {
  if (field.map) return readMap(field, json, path, place)
  if (!field.repeated) return readValue(field, json, path, place)
  if (!Array.isArray(json)) return noteJson(place, 'wrong_type', path, `expected a list, got ${describe(json)}`)
  return countJson(path, json.length, place) ? json.map((item, i) => readValue(field, item, joinPath(path, i), place)) : undefined
}

function readMap(field: Field, json: unknown, path: string, place: JsonPlace): unknown {
  if (!isObject(json)) return noteJson(place, 'wrong_type', path, `expected a map, an object; got ${describe(json)}`)
  const keys = Object.keys(json)
  if (!countJson(path, keys.length, place)) return undefined
  const map = new EmptyMap()
  for (const key of keys) {
    const normal =
      field.keyKind === KIND.bool ? (key === 'true' || key === 'false' ? key : undefined) : normalScalar(field.keyKind, key)
    if (normal === undefined) noteJson(place, 'wrong_type', joinPath(path, key), `the key is not ${kindName(field.keyKind)}`)
    setOwn(map, String(normal), readValue(field, json[key], joinPath(path, key), place))
  }
  return map
}

function readValue(field: Field, json: unknown, path: string, place: JsonPlace): unknown {
  if (json === null && !field.nullable) return noteJson(place, 'wrong_type', path, 'null is not a value here')
  if (field.message !== undefined) return readJson(field.message, json, path, place)
  if (field.wellKnown !== undefined) return field.wellKnown.fromJson(json, path, place)
  if (field.enum !== undefined) return readEnum(field.enum, json, path, place)
  const value = normalScalar(field.kind, json)
  return value === undefined
    ? noteJson(place, 'wrong_type', path, `expected ${kindName(field.kind)}, got ${describe(json)}`)
    : value
}

function readEnum(type: EnumType<string>, json: unknown, path: string, place: JsonPlace): unknown {
  if (json === null) return null
  if (typeof json === 'string' && Object.hasOwn(type.values, json)) return type.nameOf(type.values[json] as number)
  if (typeof json === 'number' && Number.isInteger(json) && json >= -0x8000_0000 && json <= 0x7fff_ffff)
    return type.nameOf(json) ?? json
  return noteJson(
    place,
    'wrong_enum',
    path,
    `${describe(json)} is not a ${type.typeName}: one of ${Object.keys(type.values).join(', ')}`,
  )
}

/** No name of the API is longer. */
const LONGEST_NAME = 100

/** `; did you mean 'cluster_name'?` for a name that differs in case and underscores only, or begins like it. */
function suggestion(type: MessageType<unknown>, key: string): string {
  if (key.length > LONGEST_NAME) return ''
  const flat = (name: string): string => name.toLowerCase().replaceAll('_', '')
  const wanted = flat(key)
  const near = type.table.fields.find(({ name }) => flat(name).startsWith(wanted) || wanted.startsWith(flat(name)))
  return near === undefined ? '' : `; did you mean '${near.name}'?`
}

export function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof Uint8Array)
}
