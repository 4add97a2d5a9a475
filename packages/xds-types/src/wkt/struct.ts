import { describe, EmptyMap, enterJson, joinPath, MAX_BYTES, MAX_DEPTH, noteJson, setOwn, sortedKeys } from '../context.js'
import { within } from '../decode.js'
import { isObject } from '../from-json.js'
import { below, misfit } from '../misfit.js'
import type { EnumType, JsonPlace, Place, WellKnownType } from '../types.js'
import type { Reader } from '../wire/reader.js'
import type { Writer } from '../wire/writer.js'
import { readFields } from './simple.js'

function writeStruct(writer: Writer, value: unknown, place: Place): void {
  if (!isObject(value)) misfit(`expected an object, got ${describe(value)}`)
  const keys = sortedKeys(value)
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i] as string
    if (value[key] === undefined) continue
    const entry = writer.size()
    try {
      writeValue(writer, value[key], place)
    } catch (error) {
      throw below(key, error)
    }
    writer.close(entry)
    writer.tag(2, 2)
    writer.string(key)
    writer.tag(1, 2)
    writer.close(entry)
    writer.tag(1, 2)
  }
}

function writeList(writer: Writer, value: unknown, place: Place): void {
  if (!Array.isArray(value)) misfit(`expected a list, got ${describe(value)}`)
  for (let i = value.length - 1; i >= 0; i--) {
    const from = writer.size()
    try {
      writeValue(writer, value[i], place)
    } catch (error) {
      throw below(i, error)
    }
    writer.close(from)
    writer.tag(1, 2)
  }
}

function writeValue(writer: Writer, value: unknown, place: Place): void {
  if (++place.depth > MAX_DEPTH) misfit(`nested deeper than ${MAX_DEPTH}`)
  if (writer.size() > MAX_BYTES) misfit(`the message is larger than ${MAX_BYTES} bytes`)
  if (value === null) {
    writer.varint32(0)
    writer.tag(1, 0)
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) misfit(`${value} has no place in JSON`)
    writer.double(value)
    writer.tag(2, 1)
  } else if (typeof value === 'string') {
    writer.string(value)
    writer.tag(3, 2)
  } else if (typeof value === 'boolean') {
    writer.varint32(value ? 1 : 0)
    writer.tag(4, 0)
  } else if (typeof value === 'object') {
    const from = writer.size()
    if (Array.isArray(value)) writeList(writer, value, place)
    else writeStruct(writer, value, place)
    writer.close(from)
    writer.tag(Array.isArray(value) ? 6 : 5, 2)
  } else misfit(`${describe(value)} has no place in JSON`)
  place.depth--
}

function readStruct(reader: Reader, place: Place): Record<string, unknown> {
  const struct = new EmptyMap()
  readFields(reader, (tag) => {
    if (tag !== 10) return false
    within(reader, () => {
      let key = ''
      let value: unknown = null
      readFields(reader, (inner) => {
        if (inner === 10) key = reader.string()
        else if (inner === 18) value = within(reader, () => readValue(reader, place))
        else return false
        return true
      })
      setOwn(struct, key, value)
    })
    return true
  })
  return struct
}

function readList(reader: Reader, place: Place): unknown[] {
  const list: unknown[] = []
  readFields(reader, (tag) => tag === 10 && list.push(within(reader, () => readValue(reader, place))) > 0)
  return list
}

function readValue(reader: Reader, place: Place): unknown {
  if (++place.depth > MAX_DEPTH) misfit(`nested deeper than ${MAX_DEPTH}`)
  let value: unknown = null
  readFields(reader, (tag) => {
    if (tag === 8) {
      reader.varint64()
      value = null
    } else if (tag === 17) value = reader.double()
    else if (tag === 26) value = reader.string()
    else if (tag === 32) value = reader.varint64() !== 0n
    else if (tag === 42) value = within(reader, () => readStruct(reader, place))
    else if (tag === 50) value = within(reader, () => readList(reader, place))
    else return false
    return true
  })
  place.depth--
  return value
}

/** A copy, so that what was read cannot change under the reader's feet; maps without prototypes. */
function copyJson(json: unknown, path: string, place: JsonPlace): unknown {
  if (json === null || typeof json === 'string' || typeof json === 'boolean') return json
  if (typeof json === 'number')
    return Number.isFinite(json) ? json : noteJson(place, 'wrong_type', path, `${json} has no place in JSON`)
  if (typeof json !== 'object' || json instanceof Uint8Array)
    return noteJson(place, 'wrong_type', path, `${describe(json)} has no place in JSON`)
  if (!enterJson(path, Array.isArray(json) ? json.length : Object.keys(json).length, place)) return undefined
  let copy: unknown
  if (Array.isArray(json)) copy = json.map((item, i) => copyJson(item, joinPath(path, i), place))
  else {
    copy = new EmptyMap()
    for (const [key, item] of Object.entries(json))
      if (item !== undefined) setOwn(copy as object, key, copyJson(item, joinPath(path, key), place))
  }
  place.depth--
  return copy
}

export const Struct: WellKnownType = {
  typeName: 'google.protobuf.Struct',
  write: writeStruct,
  read: readStruct,
  fromJson: (json, path, place) =>
    isObject(json)
      ? copyJson(json, path, place)
      : noteJson(place, 'wrong_type', path, `expected an object, got ${describe(json)}`),
  toJson: (value) => value,
}

export const ListValue: WellKnownType = {
  typeName: 'google.protobuf.ListValue',
  write: writeList,
  read: readList,
  fromJson: (json, path, place) =>
    Array.isArray(json)
      ? copyJson(json, path, place)
      : noteJson(place, 'wrong_type', path, `expected a list, got ${describe(json)}`),
  toJson: (value) => value,
}

export const Value: WellKnownType = {
  typeName: 'google.protobuf.Value',
  write: writeValue,
  read: readValue,
  fromJson: copyJson,
  toJson: (value) => value,
}

export const NullValue: EnumType<'NULL_VALUE'> = {
  typeName: 'google.protobuf.NullValue',
  values: { NULL_VALUE: 0 },
  nameOf: (number) => (number === 0 ? 'NULL_VALUE' : undefined),
}
