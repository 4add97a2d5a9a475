import { describe, EmptyMap, MAX_BYTES, MAX_DEPTH, sortedKeys } from './context.js'
import { keptBytesOf, type SharedPart, sharedPart } from './kept-bytes.js'
import { KIND } from './kinds.js'
import { below, misfit } from './misfit.js'
import { isZero, wireTypeOf, writeScalar } from './scalars.js'
import type { Field, MessageType, Place, Table, WellKnownType } from './types.js'
import { unknownFieldsOf } from './unknown-fields.js'
import type { Writer } from './wire/writer.js'
import { HOW, planOf, type Step, stepOver } from './write-plan.js'

const LENGTH = 2
/** Of shorter lists no element is kept: keeping one costs as much as writing it. */
const MANY = 16
const HAS_OWN = Object.prototype.hasOwnProperty

/** What is set in the messages that are being written, outermost first: one list for a whole encoding. */
const values: unknown[] = []
let top = 0
let highest = 0

/** Writes one whole message; {@link writeMessage} is for those inside. */
export function writeRoot(writer: Writer, type: MessageType<unknown>, value: unknown, place: Place): void {
  top = 0
  highest = 0
  try {
    writeMessage(writer, type, value, place)
  } finally {
    // Nothing of a message is held on to.
    for (let i = 0; i < highest; i++) values[i] = undefined
  }
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
  const plan = planOf(collectValues(type, table, value as Record<string, unknown>))
  let i = plan.length - 1
  try {
    for (; i >= 0; i--) {
      const step = plan[i] as Step
      writeField(writer, step, values[base + step.slot], place)
    }
  } catch (error) {
    const { field } = plan[i] as Step
    throw below(field?.name ?? '', error)
  }
  top = base
  place.depth--
}

/** Puts what is set on top of the values, in the object's order; gives the step that this order ends with. */
function collectValues(type: MessageType<unknown>, table: Table, value: Record<string, unknown>): Step {
  const base = top
  let step = table.walks.start
  let last: string | undefined
  // `for in` makes no list of keys, and V8 reads what it walks by position.
  for (const key in value) {
    last = key
    const item = value[key]
    if (item === undefined) continue
    let next = step.usual
    if (next === undefined || next.key !== key) {
      next = stepOver(step, key, table)
      if (next === undefined) {
        if (!HAS_OWN.call(value, key)) continue
        misfit(`${type.typeName} has no field '${key}'`)
      }
    }
    if (item === null && !next.nullable) continue
    step = next
    values[top++] = item
  }
  if (top > highest) highest = top
  // What is inherited comes last and is not of the message: one look an object instead of one a key.
  if (last === undefined || HAS_OWN.call(value, last)) return step
  top = base
  return collectValues(type, table, Object.assign(new EmptyMap(), value))
}

function writeField(writer: Writer, step: Step, value: unknown, place: Place): void {
  const field = step.field as Field
  switch (step.how) {
    case HOW.text:
      writeText(writer, step, value)
      return
    case HOW.message:
      writeInner(writer, field, value, place)
      writer.varint32(step.tag)
      return
    case HOW.wellKnown:
      writeWellKnown(writer, field.wellKnown as WellKnownType, value, place)
      writer.varint32(step.tag)
      return
    case HOW.scalar:
      writePlain(writer, step, value)
      return
    case HOW.enum: {
      const number = enumNumber(field, value)
      if (number === 0 && !step.presence) return
      writer.int32(number)
      writer.varint32(step.tag)
      return
    }
    case HOW.map:
      writeMap(writer, field, value, place)
      return
    default:
      writeList(writer, step, value, place)
  }
}

function writeText(writer: Writer, step: Step, value: unknown): void {
  if (typeof value !== 'string') writePlain(writer, step, value)
  else if (value.length > 0 || step.presence) {
    writer.string(value)
    writer.varint32(step.tag)
  }
}

function writePlain(writer: Writer, { field, presence, tag }: Step, value: unknown): void {
  const { kind } = field as Field
  if (!presence && isZero(kind, value)) {
    checkZero(kind, value)
    return
  }
  writeScalar(writer, kind, value)
  writer.varint32(tag)
}

/** '' for a number or 0 for a text would otherwise pass as unset. */
function checkZero(kind: number, value: unknown): void {
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

/** A message inside another, with its length. */
function writeInner(writer: Writer, field: Field, value: unknown, place: Place): void {
  const type = field.message as MessageType<unknown>
  const part = place.keeping ? sharedPart(value) : undefined
  if (part !== undefined && writeShared(writer, type, part, place)) return
  const from = writer.size()
  field.table ??= type.table
  writeMessage(writer, type, value, place, field.table)
  writer.close(from)
  if (part !== undefined) keepShared(writer, from, type, part, place)
}

/** The same of a type whose JSON is its own. */
function writeWellKnown(writer: Writer, type: WellKnownType, value: unknown, place: Place): void {
  const part = place.keeping ? sharedPart(value) : undefined
  if (part !== undefined && writeShared(writer, type, part, place)) return
  const from = writer.size()
  type.write(writer, value, place)
  writer.close(from)
  if (part !== undefined) keepShared(writer, from, type, part, place)
}

/** A part that stands in many places, as it was written before; false when it was not. `as`: the type of one value, or the field of a list. */
function writeShared(writer: Writer, as: object, part: SharedPart, { registry }: Place): boolean {
  if (part.kept === undefined || part.as !== as || part.kept.registry !== registry) return false
  writer.raw(part.kept.bytes)
  return true
}

/** Keeps what was written since `from` for the next time. */
function keepShared(writer: Writer, from: number, as: object, part: SharedPart, { registry }: Place): void {
  part.kept = { registry, bytes: writer.since(from) }
  part.as = as
}

function writeList(writer: Writer, step: Step, value: unknown, place: Place): void {
  if (!Array.isArray(value)) misfit(`expected a list, got ${describe(value)}`)
  if (value.length === 0) return
  const field = step.field as Field
  const part = place.keeping ? sharedPart(value) : undefined
  if (part !== undefined && writeShared(writer, field, part, place)) return
  const from = writer.size()
  let i = value.length - 1
  const kept = place.keeping && value.length >= MANY ? keptBytesOf(field.message) : undefined
  try {
    if (kept !== undefined) for (; i >= 0; i--) writeKept(writer, step, value[i], kept, place)
    else if (step.how === HOW.messages)
      for (; i >= 0; i--) {
        writeInner(writer, field, value[i], place)
        writer.varint32(step.tag)
      }
    else
      for (; i >= 0; i--) {
        writeValue(writer, field, value[i], place)
        if (!field.packed) writer.varint32(step.tag)
      }
  } catch (error) {
    throw below(i, error)
  }
  if (field.packed) {
    writer.close(from)
    writer.varint32(step.tag)
  }
  if (part !== undefined) keepShared(writer, from, field, part, place)
}

/** An element that stands in other messages as well: written once. */
function writeKept(
  writer: Writer,
  { field, tag }: Step,
  element: unknown,
  kept: NonNullable<ReturnType<typeof keptBytesOf>>,
  place: Place,
): void {
  const known = typeof element === 'object' && element !== null ? kept.of(element) : undefined
  if (known !== undefined && known.registry === place.registry) writer.bytes(known.bytes)
  else {
    const from = writer.size()
    writeMessage(writer, field?.message as MessageType<unknown>, element, place)
    kept.set(element as object, { registry: place.registry, bytes: writer.since(from) })
    writer.close(from)
  }
  writer.varint32(tag)
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
  if (field.message !== undefined) writeInner(writer, field, value, place)
  else if (field.wellKnown !== undefined) writeWellKnown(writer, field.wellKnown, value, place)
  else if (field.enum !== undefined) writer.int32(enumNumber(field, value))
  else writeScalar(writer, field.kind, value)
}

function enumNumber(field: Field, value: unknown): number {
  if (value === null && field.nullable) return 0
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 0x8000_0000) return value
  const values = (field.enum as { values: Record<string, number> }).values
  if (typeof value !== 'string' || !Object.hasOwn(values, value))
    misfit(`${describe(value)} is not one of ${Object.keys(values).join(', ')}`)
  return values[value] as number
}
