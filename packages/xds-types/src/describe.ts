import { createCodec } from './codec.js'
import { FLAG, KIND } from './kinds.js'
import type {
  EnumType,
  Field,
  FieldRow,
  MessageType,
  MethodType,
  Oneof,
  OneofRow,
  ServiceType,
  Table,
  WellKnownType,
} from './types.js'

export function message<T>(typeName: string, rows: () => readonly FieldRow[], oneofs: readonly OneofRow[] = []): MessageType<T> {
  return createCodec<T>(typeName, () => createTable(rows(), oneofs))
}

export function enumeration<Name extends string>(typeName: string, values: { readonly [name in Name]: number }): EnumType<Name> {
  let names: Map<number, Name> | undefined
  return {
    typeName,
    values,
    nameOf(number: number): Name | undefined {
      names ??= new Map((Object.entries(values) as [Name, number][]).reverse().map(([name, value]) => [value, name]))
      return names.get(number)
    },
  }
}

/** As the generated modules write a method. */
export type MethodRow = readonly [
  request: () => MessageType<unknown>,
  response: () => MessageType<unknown>,
  requestStream: boolean,
  responseStream: boolean,
]

export function service<Methods extends object>(
  typeName: string,
  rows: { readonly [method: string]: MethodRow },
): ServiceType<Methods> {
  const methods: Record<string, MethodType<unknown, unknown>> = {}
  for (const [name, row] of Object.entries(rows)) {
    const [request, response, requestStream, responseStream] = row
    methods[name] = {
      path: `/${typeName}/${name}`,
      requestStream,
      responseStream,
      get request() {
        return request()
      },
      get response() {
        return response()
      },
    }
  }
  return { typeName, methods: methods as Methods }
}

function createTable(rows: readonly FieldRow[], oneofRows: readonly OneofRow[]): Table {
  const oneofs = oneofRows.map(
    ([name, ids, required]): Oneof => ({
      name,
      ids,
      members: rows.filter(([id]) => ids.includes(id)).map((row) => row[1]),
      required: required === 1,
    }),
  )
  const fields = rows.map((row) => createField(row, oneofs)).sort((a, b) => a.id - b.id)
  return {
    fields,
    byId: new Map(fields.map((field) => [field.id, field])),
    byName: new Map(fields.flatMap((field) => [[field.jsonName, field] as const, [field.name, field] as const])),
    oneofs,
  }
}

function createField([id, name, kind, flags, type, keyKind = 0, rules]: FieldRow, oneofs: readonly Oneof[]): Field {
  const has = (flag: number): boolean => (flags & flag) !== 0
  const target = typeof type === 'function' ? type() : type === 0 ? undefined : type
  const wellKnown =
    kind === KIND.message && target !== undefined && 'write' in (target as object) ? (target as WellKnownType) : undefined
  return {
    id,
    name,
    jsonName: jsonName(name),
    kind,
    repeated: has(FLAG.repeated),
    map: has(FLAG.map),
    packed: has(FLAG.packed),
    presence: has(FLAG.optional) || has(FLAG.oneof),
    sensitive: has(FLAG.sensitive),
    deprecated: has(FLAG.deprecated),
    message: kind === KIND.message && wellKnown === undefined ? (target as MessageType<unknown>) : undefined,
    wellKnown,
    enum: kind === KIND.enum ? (target as EnumType<string>) : undefined,
    nullable:
      (target as { typeName?: string } | undefined)?.typeName === 'google.protobuf.Value' ||
      (target as { typeName?: string } | undefined)?.typeName === 'google.protobuf.NullValue',
    keyKind,
    rules,
    oneof: oneofs.find((oneof) => oneof.ids.includes(id)),
  }
}

/** `connect_timeout` -> `connectTimeout`, by protoc's rule. */
export function jsonName(name: string): string {
  return name.replace(/_+([a-zA-Z0-9])?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? '')
}
