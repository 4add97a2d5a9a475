import { describe, joinPath, MAX_DEPTH, noteJson } from '../context.js'
import { readMessage } from '../decode.js'
import { writeMessage } from '../encode.js'
import { isObject, readJson } from '../from-json.js'
import { misfit } from '../misfit.js'
import { typeNameOf } from '../registry.js'
import { printJson } from '../to-json.js'
import type { JsonOptions, MessageType, Place, TypeRegistry, WellKnownType } from '../types.js'
import { fromBase64, toBase64 } from '../wire/base64.js'
import { createReader } from '../wire/reader.js'
import type { Writer } from '../wire/writer.js'
import { Empty, FieldMask, readFields } from './simple.js'
import { ListValue, Struct, Value } from './struct.js'
import { Duration, Timestamp } from './time.js'
import {
  BoolValue,
  BytesValue,
  DoubleValue,
  FloatValue,
  Int32Value,
  Int64Value,
  StringValue,
  UInt32Value,
  UInt64Value,
} from './wrappers.js'

/** Types that stand under `value` inside an Any, because their JSON is not an object of fields. */
function wellKnown(typeUrl: string): WellKnownType | undefined {
  const name = typeNameOf(typeUrl)
  if (!name.startsWith('google.protobuf.')) return undefined
  const all = [
    Any,
    Empty,
    FieldMask,
    ListValue,
    Struct,
    Value,
    Duration,
    Timestamp,
    BoolValue,
    BytesValue,
    DoubleValue,
    FloatValue,
    Int32Value,
    Int64Value,
    StringValue,
    UInt32Value,
    UInt64Value,
  ]
  return all.find((type) => type.typeName === name)
}

function known(registry: TypeRegistry | undefined, typeUrl: string): MessageType<unknown> | undefined {
  return registry?.find(typeUrl)
}

/** An Any that stays packed because its type is not in the registry, or because its maker packed it. */
function packed(value: Record<string, unknown>): { typeUrl: string; bytes: Uint8Array } | undefined {
  if (typeof value['type_url'] !== 'string' || value['@type'] !== undefined) return undefined
  const bytes = value['value'] ?? ''
  if (bytes instanceof Uint8Array) return { typeUrl: value['type_url'], bytes }
  const decoded = typeof bytes === 'string' ? fromBase64(bytes) : undefined
  return decoded === undefined ? undefined : { typeUrl: value['type_url'], bytes: decoded }
}

function writeInner(writer: Writer, typeUrl: string, value: Record<string, unknown>, place: Place): void {
  const type = known(place.registry, typeUrl)
  const inner = type === undefined ? wellKnown(typeUrl) : undefined
  if (type !== undefined) writeMessage(writer, type, value, place)
  else if (inner !== undefined) inner.write(writer, value['value'] ?? (inner === Empty ? {} : undefined), place)
  else misfit(`the registry has no type ${typeNameOf(typeUrl)}; pass one that has it, or a packed { type_url, value }`)
}

export const Any: WellKnownType = {
  typeName: 'google.protobuf.Any',

  write(writer, value, place) {
    if (!isObject(value)) misfit(`expected an Any, an object with '@type'; got ${describe(value)}`)
    const raw = packed(value)
    const typeUrl = raw?.typeUrl ?? value['@type']
    if (typeUrl === undefined && Object.keys(value).length === 0) return
    if (typeof typeUrl !== 'string') misfit("an Any needs '@type', a type URL")
    const from = writer.size()
    if (raw !== undefined) writer.raw(raw.bytes)
    else writeInner(writer, typeUrl, value, place)
    if (writer.size() > from) {
      writer.close(from)
      writer.tag(2, 2)
    }
    writer.string(typeUrl)
    writer.tag(1, 2)
  },

  read(reader, place) {
    let typeUrl = ''
    let bytes: Uint8Array = new Uint8Array(0)
    readFields(reader, (tag) => {
      if (tag === 10) typeUrl = reader.string()
      else if (tag === 18) bytes = reader.slice()
      else return false
      return true
    })
    if (typeUrl === '') return bytes.length === 0 ? {} : { type_url: '', value: bytes.slice() }
    const inner = wellKnown(typeUrl)
    if (inner !== undefined) return { '@type': typeUrl, value: inner.read(createReader(bytes), place) }
    const type = known(place.registry, typeUrl)
    if (type === undefined) return { type_url: typeUrl, value: bytes.slice() }
    return readMessage(createReader(bytes), type, place, { '@type': typeUrl })
  },

  fromJson(json, path, place) {
    if (!isObject(json))
      return noteJson(place, 'wrong_type', path, `expected an Any, an object with '@type'; got ${describe(json)}`)
    if (Object.keys(json).length === 0) return {}
    const raw = packed({ ...json, type_url: json['type_url'] ?? json['typeUrl'] })
    if (raw !== undefined) return { type_url: raw.typeUrl, value: raw.bytes }
    const typeUrl = json['@type']
    if (typeof typeUrl !== 'string' || typeUrl === '')
      return noteJson(place, 'any_without_type', path, "an Any needs '@type', a type URL")
    if (place.depth >= MAX_DEPTH) return noteJson(place, 'too_deep', path, `nested deeper than ${MAX_DEPTH}`)
    const inner = wellKnown(typeUrl)
    if (inner !== undefined)
      return {
        '@type': typeUrl,
        value: inner.fromJson(json['value'] ?? (inner === Empty ? {} : undefined), joinPath(path, 'value'), place),
      }
    const type = known(place.registry, typeUrl)
    if (type === undefined)
      return noteJson(place, 'unknown_type', joinPath(path, '@type'), `the registry has no type ${typeNameOf(typeUrl)}`)
    return { '@type': typeUrl, ...readJson(type, json, path, place) }
  },

  toJson(value, options: JsonOptions) {
    const any = value as Record<string, unknown>
    const raw = packed(any)
    if (raw !== undefined) return unpackToJson(raw.typeUrl, raw.bytes, options)
    const typeUrl = any['@type']
    if (typeof typeUrl !== 'string') return {}
    const inner = wellKnown(typeUrl)
    if (inner !== undefined) return { '@type': typeUrl, value: inner.toJson(any['value'] ?? {}, options) }
    const type = known(options.registry, typeUrl)
    return type === undefined ? any : { '@type': typeUrl, ...(printJson(type, any, options) as object) }
  },
}

function unpackToJson(typeUrl: string, bytes: Uint8Array, options: JsonOptions): unknown {
  const decoded = known(options.registry, typeUrl)?.decode(bytes, options.registry)
  if (decoded?.ok !== true)
    return options.redact === true ? { type_url: typeUrl, value: '[redacted]' } : { type_url: typeUrl, value: toBase64(bytes) }
  return {
    '@type': typeUrl,
    ...(printJson(known(options.registry, typeUrl) as MessageType<unknown>, decoded.value, options) as object),
  }
}
