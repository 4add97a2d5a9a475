import type { Random } from '@heddle/runtime'
import { KIND } from '../src/kinds.js'
import type { Field, MessageType, TypeRegistry } from '../src/types.js'

/** Random messages in canonical form, so that what comes back from the wire must be equal. */
export interface Messages {
  of(type: MessageType<unknown>, depth: number): Record<string, unknown>
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const SCALARS: Readonly<Record<number, readonly unknown[]>> = {
  [KIND.double]: [0, 1.5, -2.25, 1e300, 3],
  [KIND.float]: [0, 1.5, -0.25, 0.1],
  [KIND.int64]: ['0', '9223372036854775807', '-5', '-9223372036854775808'],
  [KIND.sint64]: ['0', '9223372036854775807', '-5', '-9223372036854775808'],
  [KIND.sfixed64]: ['0', '9223372036854775807', '-5', '-9223372036854775808'],
  [KIND.uint64]: ['0', '18446744073709551615', '7', '4294967296'],
  [KIND.fixed64]: ['0', '18446744073709551615', '7'],
  [KIND.int32]: [0, 1, -1, 2147483647, -2147483648],
  [KIND.sint32]: [0, 1, -1, 2147483647, -2147483648],
  [KIND.sfixed32]: [0, 1, -1, 2147483647, -2147483648],
  [KIND.uint32]: [0, 1, 300, 4294967295],
  [KIND.fixed32]: [0, 1, 4294967295],
  [KIND.bool]: [true, false],
  [KIND.string]: ['', 'a', 'héllo ☃ 😀', 'x'.repeat(200), 'é'.repeat(70)],
  [KIND.bytes]: ['', 'AAEC', '/+8='],
}
const WELL_KNOWN: Readonly<Record<string, readonly unknown[]>> = {
  Duration: ['0s', '1s', '-1.500s', '0.000000001s', '3600.000001s'],
  Timestamp: ['1970-01-01T00:00:00Z', '2026-11-20T01:02:03.456Z', '1969-01-01T00:00:00.000000001Z'],
  Empty: [{}],
  FieldMask: ['fooBar,baz', 'a'],
  BoolValue: SCALARS[KIND.bool] ?? [],
  BytesValue: SCALARS[KIND.bytes] ?? [],
  DoubleValue: SCALARS[KIND.double] ?? [],
  FloatValue: SCALARS[KIND.float] ?? [],
  Int32Value: SCALARS[KIND.int32] ?? [],
  Int64Value: SCALARS[KIND.int64] ?? [],
  StringValue: SCALARS[KIND.string] ?? [],
  UInt32Value: SCALARS[KIND.uint32] ?? [],
  UInt64Value: SCALARS[KIND.uint64] ?? [],
}

/** @param wide 64-bit integers beyond 2^53 too; protobufjs cannot hold them without another package. */
export function createMessages(random: Random, registry: TypeRegistry, wide: boolean): Messages {
  const types = [...registry.types]
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T
  const scalar = (values: readonly unknown[] = []): unknown =>
    pick(
      wide
        ? values
        : values.filter((item) => typeof item !== 'string' || !/^-?\d+$/.test(item) || Number.isSafeInteger(Number(item))),
    )
  const keys = ['a', 'b', 'Ω', 'constructor']

  const json = (depth: number): Json => {
    if (depth === 0) return pick<Json>([null, 1.5, 's', true])
    return pick([() => json(0), () => [json(depth - 1), json(0)], () => ({ a: json(depth - 1), 'b c': json(0) })])()
  }
  const any = (depth: number): unknown => {
    if (random.next() < 0.1) return { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1.500s' }
    if (random.next() < 0.1)
      return { '@type': 'type.googleapis.com/google.protobuf.Struct', value: json(0) === null ? {} : { a: json(1) } }
    const type = pick(types)
    return { '@type': type.typeUrl, ...of(type, depth - 1) }
  }
  const wellKnown = (typeName: string, depth: number): unknown => {
    const name = typeName.slice('google.protobuf.'.length)
    if (name === 'Any') return any(depth)
    if (name === 'Struct') return { k: json(2), b: json(1) }
    if (name === 'Value') return json(2)
    if (name === 'ListValue') return [json(1), json(0)]
    return scalar(WELL_KNOWN[name])
  }
  const one = (field: Field, depth: number): unknown => {
    if (field.message !== undefined) return of(field.message, depth - 1)
    if (field.wellKnown !== undefined) return wellKnown(field.wellKnown.typeName, depth)
    if (field.enum !== undefined) return field.nullable ? null : field.enum.nameOf(pick(Object.values(field.enum.values)))
    return scalar(SCALARS[field.kind])
  }
  const value = (field: Field, depth: number): unknown => {
    if (field.map) {
      const names = field.keyKind === KIND.string ? keys : field.keyKind === KIND.bool ? ['false', 'true'] : ['1', '2', '30']
      return Object.fromEntries(names.filter(() => random.next() < 0.5).map((name) => [name, one(field, depth)]))
    }
    return field.repeated ? Array.from({ length: 1 + Math.floor(random.next() * 2) }, () => one(field, depth)) : one(field, depth)
  }
  const isDefault = (field: Field, item: unknown): boolean => {
    if (field.map) return Object.keys(item as object).length === 0
    if (field.presence || field.message !== undefined || field.wellKnown !== undefined) return false
    if (field.repeated) return false
    return field.enum === undefined
      ? item === '' || item === 0 || item === '0' || item === false
      : field.enum.values[item as string] === 0
  }
  const of = (type: MessageType<unknown>, depth: number): Record<string, unknown> => {
    const message: Record<string, unknown> = {}
    if (depth <= 0) return message
    const used = new Set<unknown>()
    for (const field of type.table.fields) {
      if (random.next() > (depth > 2 ? 0.6 : 0.35) || (field.oneof !== undefined && used.has(field.oneof))) continue
      const item = value(field, depth)
      if (isDefault(field, item)) continue
      used.add(field.oneof)
      message[field.name] = item
    }
    return message
  }
  return { of }
}
