import type { Random } from '@heddle/runtime'
import { KIND } from '../src/kinds.js'
import type { Field, MessageType, TypeRegistry } from '../src/types.js'

type Message = Record<string, unknown>

/** Random messages in canonical form, so that what comes back from the wire must be equal. */
export interface Messages {
  /** @param must a field that is set whatever chance says. */
  of(type: MessageType<unknown>, depth: number, must?: Field): Message
  /** How often each field was set, in all messages so far and in whatever is inside them. */
  readonly set: ReadonlyMap<Field, number>
  /** How deep Any was nested, at most. */
  readonly anyDepth: number
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const INT64 = ['0', '9223372036854775807', '-5', '-9223372036854775808', '4294967296', '2147483648', '-1']
const UINT64 = ['0', '18446744073709551615', '7', '4294967296', '4294967295', '9007199254740993']
const INT32 = [0, 1, -1, 127, 128, 2147483647, -2147483648]
const UINT32 = [0, 1, 300, 16384, 4294967295]
const SCALARS: Readonly<Record<number, readonly unknown[]>> = {
  [KIND.double]: [0, 1.5, -2.25, 1e300, 3, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  // Of 0.1 as a float protobuf-es prints all seventeen digits of the double; we print 0.1, as C++ and Go do.
  [KIND.float]: [0, 1.5, -0.25, 0.125, 3.4028234663852886e38, Number.NaN, Number.NEGATIVE_INFINITY],
  [KIND.int64]: INT64,
  [KIND.sint64]: INT64,
  [KIND.sfixed64]: INT64,
  [KIND.uint64]: UINT64,
  [KIND.fixed64]: UINT64,
  [KIND.int32]: INT32,
  [KIND.sint32]: INT32,
  [KIND.sfixed32]: INT32,
  [KIND.uint32]: UINT32,
  [KIND.fixed32]: UINT32,
  [KIND.bool]: [true, false],
  [KIND.string]: ['', 'a', 'héllo ☃ 😀', 'x'.repeat(200), 'é'.repeat(70), '\u0000', '__proto__'],
  [KIND.bytes]: ['', 'AAEC', '/+8=', 'AA=='],
}
const WELL_KNOWN: Readonly<Record<string, readonly unknown[]>> = {
  Duration: ['0s', '1s', '-1.500s', '0.000000001s', '-0.000001s', '3600.000001s', '315576000000s'],
  Timestamp: [
    '1970-01-01T00:00:00Z',
    '2026-11-20T01:02:03.456Z',
    '1969-01-01T00:00:00.000000001Z',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999999999Z',
  ],
  Empty: [{}],
  FieldMask: ['fooBar,baz', 'a', ''],
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
const KEYS = ['a', 'b', 'constructor', 'Ω']

export function createMessages(random: Random, registry: TypeRegistry): Messages {
  const types = [...registry.types]
  /** Types with an Any of their own, so that Any in Any is no rare event. */
  const holders = types.filter((type) => anyField(type) !== undefined)
  const set = new Map<Field, number>()
  let [inAny, anyDepth] = [0, 0]
  const chance = (share: number): boolean => random.next() < share
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T

  const json = (depth: number): Json => {
    if (depth === 0) return pick<Json>([null, 1.5, 's', true])
    return pick([() => json(0), () => [json(depth - 1), json(0)], () => ({ a: json(depth - 1), 'b c': json(0) })])()
  }
  const any = (depth: number): Message => {
    if (chance(0.1)) return { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1.500s' }
    if (chance(0.1))
      return { '@type': 'type.googleapis.com/google.protobuf.Struct', value: json(0) === null ? {} : { a: json(1) } }
    anyDepth = Math.max(anyDepth, ++inAny)
    const deeper = inAny < 3 && chance(0.4)
    const type = pick(deeper ? holders : types)
    const message = of(type, Math.max(depth - 1, deeper ? 1 : 0), deeper ? anyField(type) : undefined)
    inAny--
    return { '@type': type.typeUrl, ...message }
  }
  const wellKnown = (typeName: string, depth: number): unknown => {
    const name = typeName.slice('google.protobuf.'.length)
    if (name === 'Any') return any(depth)
    if (name === 'Struct') return { b: json(1), k: json(2) }
    if (name === 'Value') return json(2)
    return name === 'ListValue' ? [json(1), json(0)] : pick(WELL_KNOWN[name] ?? [])
  }
  const one = (field: Field, depth: number): unknown => {
    if (field.message !== undefined) return of(field.message, depth - 1)
    if (field.wellKnown !== undefined) return wellKnown(field.wellKnown.typeName, depth)
    if (field.enum !== undefined) return field.nullable ? null : field.enum.nameOf(pick(Object.values(field.enum.values)))
    return pick(SCALARS[field.kind] ?? [])
  }
  const value = (field: Field, depth: number): unknown => {
    if (field.map) {
      const names = field.keyKind === KIND.string ? KEYS : field.keyKind === KIND.bool ? ['false', 'true'] : ['1', '2', '30']
      return Object.fromEntries(names.filter(() => chance(0.5)).map((name) => [name, one(field, depth)]))
    }
    return field.repeated ? Array.from({ length: chance(0.3) ? 2 : 1 }, () => one(field, depth)) : one(field, depth)
  }
  const of = (type: MessageType<unknown>, depth: number, must?: Field): Message => {
    const message: Message = {}
    const used = new Set<unknown>([must?.oneof])
    for (const field of type.table.fields) {
      if (field !== must) {
        if (depth <= 0 || !chance(depth > 2 ? 0.6 : 0.25)) continue
        if (field.oneof !== undefined && used.has(field.oneof)) continue
      }
      let item = value(field, depth)
      while (field === must && isDefault(field, item) && !isMute(field)) item = value(field, depth)
      if (isDefault(field, item)) continue
      used.add(field.oneof)
      set.set(field, (set.get(field) ?? 0) + 1)
      message[field.name] = item
    }
    return message
  }
  return {
    of,
    set,
    get anyDepth() {
      return anyDepth
    },
  }
}

function anyField(type: MessageType<unknown>): Field | undefined {
  return type.table.fields.find((field) => field.wellKnown?.typeName === 'google.protobuf.Any')
}

/** An enum of nothing but a zero: the wire cannot tell that it is set. */
export function isMute(field: Field): boolean {
  const { presence, repeated, map } = field
  return (
    field.enum !== undefined && !presence && !repeated && !map && Object.values(field.enum.values).every((value) => value === 0)
  )
}

/** What the wire does not tell from unset. */
function isDefault(field: Field, item: unknown): boolean {
  if (field.map) return Object.keys(item as object).length === 0
  if (field.presence || field.message !== undefined || field.wellKnown !== undefined || field.repeated) return false
  return field.enum === undefined
    ? item === '' || item === 0 || item === '0' || item === false
    : field.enum.values[item as string] === 0
}
