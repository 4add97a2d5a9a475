import { EmptyMap, MAX_DEPTH, setOwn } from './context.js'
import { below, misfit } from './misfit.js'
import { readScalar, wireTypeOf, zeroOf } from './scalars.js'
import type { Field, MessageType, Place, Table } from './types.js'
import { UNKNOWN_FIELDS, unknownFieldsOf } from './unknown-fields.js'
import { concat } from './wire/concat.js'
import { createReader, type Reader } from './wire/reader.js'

type Message = Record<string, unknown>
const LENGTH = 2

/** Reads the body of a message up to the reader's end, into `into`: a field met twice is merged, as protobuf says. */
export function readMessage(
  reader: Reader,
  type: MessageType<unknown>,
  place: Place,
  into: Message = {},
  { byId }: Table = type.table,
): Message {
  if (++place.depth > MAX_DEPTH) misfit(`messages are nested deeper than ${MAX_DEPTH}`)
  let unknown: Uint8Array[] | undefined
  while (reader.at < reader.end) {
    const start = reader.at
    const tag = reader.varint32()
    const field = byId.get(tag >>> 3)
    if (field !== undefined && readField(reader, field, tag & 7, into, place)) continue
    if (tag >>> 3 === 0) misfit('field number 0')
    reader.skip(tag & 7, tag >>> 3)
    unknown ??= [unknownFieldsOf(into) ?? new Uint8Array(0)]
    unknown.push(reader.bytes.slice(start, reader.at))
  }
  if (unknown !== undefined) (into as { [UNKNOWN_FIELDS]?: Uint8Array })[UNKNOWN_FIELDS] = concat(unknown)
  place.depth--
  return into
}

/** False when the wire type is not the field's: then it is an unknown field, as in every protobuf implementation. */
function readField(reader: Reader, field: Field, wireType: number, into: Message, place: Place): boolean {
  const own = field.map ? LENGTH : wireTypeOf(field.kind)
  const packed = wireType === LENGTH && own !== LENGTH && field.repeated
  if (wireType !== own && !packed) return false
  try {
    if (field.map) readEntry(reader, field, into, place)
    else if (field.repeated) readItems(reader, field, packed, into, place)
    else {
      if (field.oneof !== undefined) clearOthers(field, into)
      into[field.name] = readValue(reader, field, place, into[field.name])
    }
  } catch (error) {
    throw below(field.name, error)
  }
  return true
}

function clearOthers(field: Field, into: Message): void {
  for (const other of field.oneof?.members ?? []) if (other !== field.name && Object.hasOwn(into, other)) delete into[other]
}

function readItems(reader: Reader, field: Field, packed: boolean, into: Message, place: Place): void {
  const list = (into[field.name] ??= []) as unknown[]
  if (!packed) {
    try {
      list.push(readValue(reader, field, place, undefined))
    } catch (error) {
      throw below(list.length, error)
    }
    return
  }
  within(reader, () => {
    while (reader.at < reader.end) list.push(readValue(reader, field, place, undefined))
  })
}

function readEntry(reader: Reader, field: Field, into: Message, place: Place): void {
  const map = (into[field.name] ??= new EmptyMap()) as Message
  within(reader, () => {
    let key: unknown = zeroOf(field.keyKind)
    let value: unknown
    while (reader.at < reader.end) {
      const tag = reader.varint32()
      if (tag === ((1 << 3) | wireTypeOf(field.keyKind))) key = readScalar(reader, field.keyKind)
      else if (tag === ((2 << 3) | wireTypeOf(field.kind))) value = readValue(reader, field, place, undefined)
      else reader.skip(tag & 7, tag >>> 3)
    }
    setOwn(map, String(key), value ?? absentValue(field, place))
  })
}

function absentValue(field: Field, place: Place): unknown {
  if (field.message !== undefined) return {}
  if (field.wellKnown !== undefined) return field.wellKnown.read(createReader(new Uint8Array(0)), place)
  return field.enum === undefined ? zeroOf(field.kind) : (field.enum.nameOf(0) ?? 0)
}

function readValue(reader: Reader, field: Field, place: Place, before: unknown): unknown {
  const { message, wellKnown } = field
  if (message !== undefined) {
    const end = enter(reader)
    field.table ??= message.table
    const value = readMessage(reader, message, place, before as Message | undefined, field.table)
    reader.end = end
    return value
  }
  if (wellKnown !== undefined) {
    const end = enter(reader)
    const value = wellKnown.read(reader, place)
    reader.end = end
    return value
  }
  if (field.enum === undefined) return readScalar(reader, field.kind)
  const number = reader.varint32() | 0
  return field.nullable ? null : (field.enum.nameOf(number) ?? number)
}

/** Narrows the reader to a length-delimited value; gives the end to put back. */
export function enter(reader: Reader): number {
  const length = reader.length()
  const end = reader.end
  reader.end = reader.at + length
  return end
}

/** Runs `read` on a length-delimited value. */
export function within<T>(reader: Reader, read: () => T): T {
  const end = enter(reader)
  const value = read()
  reader.end = end
  return value
}
