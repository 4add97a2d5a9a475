import { describe, EmptyMap, MAX_BYTES, MAX_DEPTH, sortedKeys } from './context.js'
import { keptBytesOf, sharedPart } from './kept-bytes.js'
import { KIND } from './kinds.js'
import { below, misfit } from './misfit.js'
import { isZero, wireTypeOf, writeScalar } from './scalars.js'
import type { Field, MessageType, Place, Table } from './types.js'
import { unknownFieldsOf } from './unknown-fields.js'
import type { Writer } from './wire/writer.js'

const LENGTH = 2
const HAS_OWN = Object.prototype.hasOwnProperty

/** The set fields of the messages that are being written, outermost first: one pair of lists for a whole encoding. */
interface Pending {
  readonly fields: Field[]
  readonly values: unknown[]
}

const pending: Pending = { fields: [], values: [] }
let top = 0

/** Writes one whole message; {@link writeMessage} is for those inside. */
export function writeRoot(writer: Writer, type: MessageType<unknown>, value: unknown, place: Place): void {
  top = 0
  writeMessage(writer, type, value, place)
  // Nothing of a message is held on to.
  pending.values.fill(undefined)
}

/** Writes the body of a message, backwards: unknown fields first, then the highest number. */
export function writeMessage(
  writer: Writer,
  type: MessageType<unknown>,
  value: unknown,
  place: Place,
  table: Table = type.table,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    misfit(`expected ${type.typeName}, got ${describe(value)}`)
  if (++place.depth > MAX_DEPTH) misfit(`messages are nested deeper than ${MAX_DEPTH}`)
  if (writer.size() > MAX_BYTES) misfit(`the message is larger than ${MAX_BYTES} bytes`)
  const unknown = unknownFieldsOf(value)
  if (unknown !== undefined) writer.raw(unknown)
  const base = top
  collectFields(type, table, value as Record<string, unknown>)
  let field: Field | undefined
  try {
    while (top > base) {
      field = pending.fields[--top] as Field
      writeField(writer, field, pending.values[top], place)
    }
  } catch (error) {
    throw field === undefined ? error : below(field.name, error)
  }
  place.depth--
}

/** Puts the fields that are set on top of the pending ones, by ascending number. Objects are small and nearly sorted: insertion beats a scan of all fields. */
function collectFields(type: MessageType<unknown>, table: Table, value: Record<string, unknown>): void {
  const base = top
  let before: Table | Field = table
  let last: string | undefined
  // `for in` makes no list of keys, and V8 reads what it walks by position.
  for (const key in value) {
    last = key
    const item = value[key]
    if (item === undefined) continue
    let field: Field | undefined = before.next
    if (field === undefined || field.name !== key) {
      field = table.byName.get(key)
      if (field === undefined) {
        if (key === '@type' || !HAS_OWN.call(value, key)) continue
        misfit(`${type.typeName} has no field '${key}'`)
      }
      before.next = field
    }
    before = field
    if (item === null && !field.nullable) continue
    if (field.oneof !== undefined) refuseSecond(field, base)
    insertField(field, item, base)
  }
  // What is inherited comes last and is not of the message: one look an object instead of one a key.
  if (last === undefined || HAS_OWN.call(value, last)) return
  top = base
  collectFields(type, table, Object.assign(new EmptyMap(), value))
}

function insertField(field: Field, value: unknown, base: number): void {
  const { fields, values } = pending
  let at = top
  while (at > base && (fields[at - 1] as Field).id > field.id) {
    fields[at] = fields[at - 1] as Field
    values[at] = values[at - 1]
    at--
  }
  if (at > base && fields[at - 1] === field) misfit(`'${field.name}' is given twice, as '${field.name}' and '${field.jsonName}'`)
  fields[at] = field
  values[at] = value
  top++
}

function refuseSecond({ oneof, name }: Field, base: number): void {
  for (let i = base; i < top; i++) {
    const other = pending.fields[i] as Field
    if (other.oneof !== oneof || other.name === name) continue
    misfit(`only one of '${other.name}' and '${name}' may be set (oneof ${oneof?.name})`)
  }
}

function writeField(writer: Writer, field: Field, value: unknown, place: Place): void {
  if (field.map) writeMap(writer, field, value, place)
  else if (field.repeated) {
    if (place.keeping && writeShared(writer, field, value, place)) return
    const from = writer.size()
    writeList(writer, field, value, place)
    if (place.keeping) keepShared(writer, from, field, value, place)
  } else if (field.kind === KIND.message) {
    writeValue(writer, field, value, place)
    writer.tag(field.id, LENGTH)
  } else writePlain(writer, field, value, place)
}

/** A part that stands in many places, as it was written before; false when it was not. `as`: the type of one value, or the field of a list. */
function writeShared(writer: Writer, as: object | undefined, value: unknown, { registry }: Place): boolean {
  const part = sharedPart(value)
  if (part?.kept === undefined || part.as !== as || part.kept.registry !== registry) return false
  writer.raw(part.kept.bytes)
  return true
}

/** Keeps what was written since `from`, if it is such a part. */
function keepShared(writer: Writer, from: number, as: object | undefined, value: unknown, { registry }: Place): void {
  const part = sharedPart(value)
  if (part === undefined || as === undefined) return
  part.kept = { registry, bytes: writer.since(from) }
  part.as = as
}

function writePlain(writer: Writer, field: Field, value: unknown, place: Place): void {
  const plain = field.enum === undefined ? value : enumNumber(field, value)
  if (!field.presence && isZero(field.kind, plain)) {
    if (field.enum === undefined) checkZero(field, value)
    return
  }
  writeValue(writer, field, plain, place)
  writer.tag(field.id, wireTypeOf(field.kind))
}

/** '' for a number or 0 for a text would otherwise pass as unset. */
function checkZero(field: Field, value: unknown): void {
  const { kind } = field
  const fits =
    kind === KIND.string
      ? value === ''
      : kind === KIND.bool
        ? value === false
        : kind === KIND.bytes
          ? value === '' || value instanceof Uint8Array
          : value !== '' && value !== false
  if (!fits) misfit(`${describe(value)} has the wrong type`)
}

function writeList(writer: Writer, field: Field, value: unknown, place: Place): void {
  if (!Array.isArray(value)) misfit(`expected a list, got ${describe(value)}`)
  if (value.length === 0) return
  const kept = place.keeping ? keptBytesOf(field.message) : undefined
  if (kept !== undefined) {
    writeKept(writer, field, value, kept, place)
    return
  }
  const packed = field.packed && wireTypeOf(field.kind) !== LENGTH
  const from = writer.size()
  let i = value.length - 1
  try {
    for (; i >= 0; i--) {
      writeValue(writer, field, value[i], place)
      if (!packed) writer.tag(field.id, wireTypeOf(field.kind))
    }
  } catch (error) {
    throw below(i, error)
  }
  if (packed) {
    writer.close(from)
    writer.tag(field.id, LENGTH)
  }
}

/** Elements that stand in other messages as well: written once. */
function writeKept(
  writer: Writer,
  field: Field,
  list: readonly unknown[],
  kept: NonNullable<ReturnType<typeof keptBytesOf>>,
  place: Place,
): void {
  let i = list.length - 1
  try {
    for (; i >= 0; i--) {
      const element = list[i]
      const known = typeof element === 'object' && element !== null ? kept.get(element) : undefined
      if (known !== undefined && known.registry === place.registry) writer.bytes(known.bytes)
      else {
        const from = writer.size()
        writeMessage(writer, field.message as MessageType<unknown>, element, place)
        kept.set(element as object, { registry: place.registry, bytes: writer.since(from) })
        writer.close(from)
      }
      writer.tag(field.id, LENGTH)
    }
  } catch (error) {
    throw below(i, error)
  }
}

function writeMap(writer: Writer, field: Field, value: unknown, place: Place): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) misfit(`expected a map, got ${describe(value)}`)
  const map = value as Record<string, unknown>
  const keys = sortedKeys(map)
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i] as string
    if (map[key] === undefined) continue
    const from = writer.size()
    try {
      writeValue(writer, field, map[key], place)
      writer.tag(2, wireTypeOf(field.kind))
      writeScalar(writer, field.keyKind, mapKey(field.keyKind, key))
    } catch (error) {
      throw below(key, error)
    }
    writer.tag(1, wireTypeOf(field.keyKind))
    writer.close(from)
    writer.tag(field.id, LENGTH)
  }
}

function mapKey(kind: number, key: string): unknown {
  return kind === KIND.bool ? (key === 'true' ? true : key === 'false' ? false : key) : key
}

function writeValue(writer: Writer, field: Field, value: unknown, place: Place): void {
  if (place.keeping && writeShared(writer, field.message ?? field.wellKnown, value, place)) return
  const from = writer.size()
  if (field.message !== undefined) {
    field.table ??= field.message.table
    writeMessage(writer, field.message, value, place, field.table)
    writer.close(from)
  } else if (field.wellKnown !== undefined) {
    field.wellKnown.write(writer, value, place)
    writer.close(from)
  } else if (field.enum !== undefined) writer.int32(enumNumber(field, value))
  else writeScalar(writer, field.kind, value)
  if (place.keeping) keepShared(writer, from, field.message ?? field.wellKnown, value, place)
}

function enumNumber(field: Field, value: unknown): number {
  if (value === null && field.nullable) return 0
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 0x8000_0000) return value
  const values = (field.enum as { values: Record<string, number> }).values
  if (typeof value !== 'string' || !Object.hasOwn(values, value))
    misfit(`${describe(value)} is not one of ${Object.keys(values).join(', ')}`)
  return values[value] as number
}
