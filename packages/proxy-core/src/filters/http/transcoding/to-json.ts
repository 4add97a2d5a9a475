import type { Descriptors, FieldDescriptor, MessageDescriptor } from './descriptors.js'
import { wellKnownToJson } from './well-known.js'
import { readWire, type WireField } from './wire.js'

export interface PrintOptions {
  readonly preserveNames: boolean
  readonly enumsAsInts: boolean
  /** Fields with their default value are there, too. */
  readonly alwaysPrint: boolean
}

/** Not what its descriptor says. */
export class TranscodingError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TranscodingError'
  }
}

/** A message in canonical proto JSON. Fields stand as they came. Throws {@link TranscodingError}. */
export function toJson(bytes: Uint8Array, type: MessageDescriptor, types: Descriptors, print: PrintOptions): unknown {
  const wire = readWire(bytes)
  if (wire === undefined) throw new TranscodingError(`the bytes are no ${type.name}`)
  const known = wellKnownToJson(type, wire, (inner, name) => {
    const named = types.message(name)
    if (named === undefined) throw new TranscodingError(`no descriptor of ${name}`)
    return toJson(inner, named, types, print)
  })
  if (known !== undefined) return known.value
  const out: Record<string, unknown> = Object.create(null)
  if (print.alwaysPrint) printDefaults(type, types, print, out)
  for (const field of wire) {
    const descriptor = type.byNumber(field.number)
    if (descriptor === undefined) continue
    const key = print.preserveNames ? descriptor.name : descriptor.jsonName
    const entry = descriptor.type === MESSAGE && descriptor.repeated ? types.message(descriptor.typeName) : undefined
    if (entry?.isMapEntry === true) {
      Object.assign((out[key] ??= Object.create(null)) as object, mapEntry(field.bytes, entry, types, print))
      continue
    }
    if (!descriptor.repeated) {
      out[key] = readValue(field, descriptor, types, print)
      continue
    }
    const list = (out[key] ??= []) as unknown[]
    const packed = field.type === 2 && PACKABLE.has(descriptor.type)
    if (packed) for (const one of unpack(field.bytes, descriptor.type)) list.push(readValue(one, descriptor, types, print))
    else list.push(readValue(field, descriptor, types, print))
  }
  return out
}

const [DOUBLE, FLOAT, INT64, UINT64, FIXED64, FIXED32, BOOL, STRING, MESSAGE, BYTES, ENUM, SFIXED32, SFIXED64, SINT32, SINT64] = [
  1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 14, 15, 16, 17, 18,
]
const EIGHT_BYTES: ReadonlySet<number> = new Set([DOUBLE, FIXED64, SFIXED64])
const FOUR_BYTES: ReadonlySet<number> = new Set([FLOAT, FIXED32, SFIXED32])
const PACKABLE: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 17, 18])

function* unpack(bytes: Buffer, type: number): Generator<WireField> {
  const size = EIGHT_BYTES.has(type) ? 8 : FOUR_BYTES.has(type) ? 4 : 0
  if (size > 0) {
    for (let at = 0; at + size <= bytes.length; at += size)
      yield { number: 0, type: size === 8 ? 1 : 5, value: 0n, bytes: bytes.subarray(at, at + size) }
    return
  }
  let value = 0n
  let shift = 0n
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift
    shift += 7n
    if (byte >= 128) continue
    yield { number: 0, type: 0, value: BigInt.asUintN(64, value), bytes }
    value = shift = 0n
  }
}

function mapEntry(bytes: Buffer, entry: MessageDescriptor, types: Descriptors, print: PrintOptions): Record<string, unknown> {
  const wire = readWire(bytes) ?? []
  const part = (number: 1 | 2): unknown => {
    const descriptor = entry.byNumber(number)!
    const field = wire.findLast((each) => each.number === number)
    return field === undefined ? defaultOf(descriptor, types, print) : readValue(field, descriptor, types, print)
  }
  return { [String(part(1))]: part(2) }
}

function readValue(field: WireField, descriptor: FieldDescriptor, types: Descriptors, print: PrintOptions): unknown {
  const { value, bytes } = field
  switch (descriptor.type) {
    case DOUBLE:
      return number(bytes.readDoubleLE(0))
    case FLOAT:
      return number(shortFloat(bytes.readFloatLE(0)))
    case INT64:
      return BigInt.asIntN(64, value).toString()
    case UINT64:
      return value.toString()
    case FIXED64:
      return bytes.readBigUInt64LE(0).toString()
    case SFIXED64:
      return bytes.readBigInt64LE(0).toString()
    case FIXED32:
      return bytes.readUInt32LE(0)
    case SFIXED32:
      return bytes.readInt32LE(0)
    case SINT64:
      return zigzag(value).toString()
    case SINT32:
      return Number(zigzag(value))
    case BOOL:
      return value !== 0n
    case STRING:
      return bytes.toString('utf8')
    case BYTES:
      return bytes.toString('base64')
    case ENUM: {
      const code = Number(BigInt.asIntN(32, value))
      return (print.enumsAsInts ? undefined : types.enumOf(descriptor.typeName)?.byNumber.get(code)) ?? code
    }
    case MESSAGE: {
      const type = types.message(descriptor.typeName)
      if (type === undefined) throw new TranscodingError(`no descriptor of ${descriptor.typeName}`)
      return toJson(bytes, type, types, print)
    }
    default:
      return descriptor.type === 13 ? Number(BigInt.asUintN(32, value)) : Number(BigInt.asIntN(32, value))
  }
}

function printDefaults(type: MessageDescriptor, types: Descriptors, print: PrintOptions, out: Record<string, unknown>): void {
  for (const field of type.fields) {
    if (field.inOneof) continue
    const key = print.preserveNames ? field.name : field.jsonName
    if (field.repeated) out[key] = types.message(field.typeName)?.isMapEntry === true ? Object.create(null) : []
    else if (field.type !== MESSAGE) out[key] = defaultOf(field, types, print)
  }
}

function defaultOf({ type, typeName }: FieldDescriptor, types: Descriptors, print: PrintOptions): unknown {
  if (type === STRING || type === BYTES) return ''
  if (type === BOOL) return false
  if (type === ENUM) return (print.enumsAsInts ? undefined : types.enumOf(typeName)?.byNumber.get(0)) ?? 0
  if (type === MESSAGE) return {}
  return [INT64, UINT64, FIXED64, SFIXED64, SINT64].includes(type) ? '0' : 0
}

const zigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n)
const number = (value: number): number | string =>
  Number.isFinite(value) ? value : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'

/** The shortest decimal that is the same float. */
function shortFloat(value: number): number {
  for (let digits = 6; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}
