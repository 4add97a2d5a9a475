import { type EnumType, type Field, KIND, type Oneof } from '@heddle/xds-types'
import type { DescribedMessage, DescribedType } from './file-descriptors.js'

// What google.protobuf's own types look like on the wire. The codec reads and writes them by hand, so they have no tables.

const PACKAGE = 'google.protobuf'

type FieldKind = keyof typeof KIND

function field(id: number, name: string, kind: FieldKind, more: Partial<Field> = {}): Field {
  const jsonName = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return {
    ...{ id, name, jsonName, kind: KIND[kind], keyKind: 0 },
    ...{ repeated: false, map: false, packed: false, presence: false, sensitive: false, deprecated: false, nullable: false },
    ...{ message: undefined, wellKnown: undefined, enum: undefined, rules: undefined, oneof: undefined, table: undefined },
    ...more,
  }
}

function message(name: string, fields: readonly Field[], oneofs: readonly Oneof[] = []): DescribedMessage {
  return { typeName: `${PACKAGE}.${name}`, table: { fields, oneofs } }
}

/** A field's type is known by its name alone here. */
const ofType = (name: string): Partial<Field> => ({ message: { typeName: `${PACKAGE}.${name}` } as Field['message'] })

const NULL_VALUE: EnumType<string> = {
  ...{ typeName: `${PACKAGE}.NullValue`, values: { NULL_VALUE: 0 } },
  nameOf: (number) => (number === 0 ? 'NULL_VALUE' : undefined),
}

const KIND_OF_VALUE: Oneof = {
  ...{ name: 'kind', ids: [1, 2, 3, 4, 5, 6], required: false },
  members: ['null_value', 'number_value', 'string_value', 'bool_value', 'struct_value', 'list_value'],
}

const oneof = KIND_OF_VALUE
const VALUE: DescribedMessage = message(
  'Value',
  [
    field(1, 'null_value', 'enum', { oneof, enum: NULL_VALUE }),
    field(2, 'number_value', 'double', { oneof }),
    field(3, 'string_value', 'string', { oneof }),
    field(4, 'bool_value', 'bool', { oneof }),
    field(5, 'struct_value', 'message', { oneof, ...ofType('Struct') }),
    field(6, 'list_value', 'message', { oneof, ...ofType('ListValue') }),
  ],
  [KIND_OF_VALUE],
)

const TIME = [field(1, 'seconds', 'int64'), field(2, 'nanos', 'int32')]

const WRAPPED: readonly (readonly [name: string, kind: FieldKind])[] = [
  ...([['Double', 'double'] as const, ['Float', 'float'] as const, ['Int64', 'int64'] as const] as const),
  ...([['UInt64', 'uint64'] as const, ['Int32', 'int32'] as const, ['UInt32', 'uint32'] as const] as const),
  ...([['Bool', 'bool'] as const, ['String', 'string'] as const, ['Bytes', 'bytes'] as const] as const),
]

export const WELL_KNOWN: readonly DescribedType[] = [
  message('Any', [field(1, 'type_url', 'string'), field(2, 'value', 'bytes')]),
  message('Empty', []),
  message('FieldMask', [field(1, 'paths', 'string', { repeated: true })]),
  message('Duration', TIME),
  message('Timestamp', TIME),
  message('Struct', [field(1, 'fields', 'message', { map: true, keyKind: KIND.string, ...ofType('Value') })]),
  message('ListValue', [field(1, 'values', 'message', { repeated: true, ...ofType('Value') })]),
  VALUE,
  NULL_VALUE,
  ...WRAPPED.map(([name, kind]) => message(`${name}Value`, [field(1, 'value', kind)])),
]
