import type { Descriptors, FieldDescriptor, MessageDescriptor } from './descriptors.js'
import { TranscodingError } from './to-json.js'
import { wellKnownFromJson } from './well-known.js'
import { lengthDelimited, tagBytes, varintBytes } from './wire.js'

export interface ParseOptions {
  readonly caseInsensitiveEnums: boolean
}

/** A message from proto JSON, either spelling of names. Fields that it does not have are passed over, as in Envoy. Throws {@link TranscodingError}. */
export function fromJson(json: unknown, type: MessageDescriptor, types: Descriptors, parse: ParseOptions): Buffer {
  const known = wellKnownFromJson(type, json, (value) => fieldBytes(value, type.fields[0]!, types, parse))
  if (known === null) throw new TranscodingError(`invalid value ${JSON.stringify(json)} for type ${type.name}`)
  if (known !== undefined) return known
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new TranscodingError(`${type.name} must be an object, not ${JSON.stringify(json)}`)
  const parts: Buffer[] = []
  for (const [name, value] of Object.entries(json)) {
    const field = type.byName(name)
    if (field === undefined || (value === null && field.typeName !== 'google.protobuf.Value')) continue
    parts.push(fieldOrList(value, field, types, parse))
  }
  return Buffer.concat(parts)
}

function fieldOrList(value: unknown, field: FieldDescriptor, types: Descriptors, parse: ParseOptions): Buffer {
  const entry = field.repeated ? types.message(field.typeName) : undefined
  if (entry?.isMapEntry === true) {
    if (typeof value !== 'object' || value === null) throw new TranscodingError(`${field.name} must be an object`)
    return Buffer.concat(
      Object.entries(value).map(([key, item]) =>
        lengthDelimited(
          field.number,
          Buffer.concat([fieldBytes(key, entry.byNumber(1)!, types, parse), fieldBytes(item, entry.byNumber(2)!, types, parse)]),
        ),
      ),
    )
  }
  if (!field.repeated) return fieldBytes(value, field, types, parse)
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return Buffer.concat(list.map((each) => fieldBytes(each, field, types, parse)))
}

/** One value with its tag. Texts are read as what the field holds: queries and paths know nothing else. */
export function fieldBytes(value: unknown, field: FieldDescriptor, types: Descriptors, parse: ParseOptions): Buffer {
  const { number, type, typeName } = field
  const bad = (): TranscodingError => new TranscodingError(`invalid value ${JSON.stringify(value)} for field ${field.name}`)
  switch (type) {
    case 1:
    case 2: {
      const bytes = Buffer.alloc(type === 1 ? 8 : 4)
      if (typeof value !== 'number' && typeof value !== 'string') throw bad()
      const decimal = Number(value)
      if (Number.isNaN(decimal) && value !== 'NaN') throw bad()
      if (type === 1) bytes.writeDoubleLE(decimal)
      else bytes.writeFloatLE(decimal)
      return Buffer.concat([tagBytes(number, type === 1 ? 1 : 5), bytes])
    }
    case 8:
      if (value !== true && value !== false && value !== 'true' && value !== 'false') throw bad()
      return Buffer.concat([tagBytes(number, 0), varintBytes(value === true || value === 'true' ? 1n : 0n)])
    case 9:
      if (typeof value !== 'string') throw bad()
      return lengthDelimited(number, Buffer.from(value))
    case 12:
      if (typeof value !== 'string') throw bad()
      return lengthDelimited(number, Buffer.from(value, 'base64'))
    case 11: {
      const message = types.message(typeName)
      if (message === undefined) throw new TranscodingError(`no descriptor of ${typeName}`)
      return lengthDelimited(number, fromJson(value, message, types, parse))
    }
    case 14:
      return Buffer.concat([tagBytes(number, 0), varintBytes(enumNumber(value, typeName, types, parse) ?? fail(bad()))])
    default:
      return integerBytes(number, type, integer(value) ?? fail(bad()), bad)
  }
}

const fail = (error: Error): never => {
  throw error
}

function enumNumber(
  value: unknown,
  typeName: string,
  types: Descriptors,
  { caseInsensitiveEnums }: ParseOptions,
): bigint | undefined {
  const own = types.enumOf(typeName)
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  if (typeof value !== 'string') return undefined
  const exact = own?.byName.get(value)
  if (exact !== undefined) return BigInt(exact)
  if (caseInsensitiveEnums) {
    const wanted = value.toUpperCase().replaceAll('-', '_')
    for (const [name, code] of own?.byName ?? []) if (name.toUpperCase() === wanted) return BigInt(code)
  }
  return /^-?\d+$/.test(value) ? BigInt(value) : undefined
}

function integer(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'string') return undefined
  if (/^-?\d{1,20}$/.test(value)) return BigInt(value)
  const decimal = Number(value)
  return value.trim() !== '' && Number.isInteger(decimal) ? BigInt(decimal) : undefined
}

const RANGES: Readonly<Record<number, readonly [bigint, bigint]>> = {
  3: [-(2n ** 63n), 2n ** 63n - 1n],
  4: [0n, 2n ** 64n - 1n],
  5: [-(2n ** 31n), 2n ** 31n - 1n],
  13: [0n, 2n ** 32n - 1n],
}
/** Of those that differ from these only on the wire. */
const SAME_RANGE: Readonly<Record<number, number>> = { 6: 4, 7: 13, 15: 5, 16: 3, 17: 5, 18: 3 }

function integerBytes(number: number, type: number, value: bigint, bad: () => Error): Buffer {
  const [least, most] = RANGES[SAME_RANGE[type] ?? type] ?? [0n, 0n]
  if (value < least || value > most) throw bad()
  if (type === 6 || type === 16) {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
    return Buffer.concat([tagBytes(number, 1), bytes])
  }
  if (type === 7 || type === 15) {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(Number(BigInt.asUintN(32, value)))
    return Buffer.concat([tagBytes(number, 5), bytes])
  }
  const zigzag = type === 17 || type === 18
  return Buffer.concat([tagBytes(number, 0), varintBytes(zigzag ? (value << 1n) ^ (value >> 63n) : value)])
}
