import { createCodec } from './codec.js'
import { FLAG, KIND } from './kinds.js'
import type { EnumType, Field, MessageType, MethodType, Oneof, OneofRow, ServiceType, Table, WellKnownType } from './types.js'
import { createWalks } from './write-plan.js'

/**
 * @param rows of the fields, joined by `;`: `id name kind flags type key rule`, numbers but for the name, zeros at the end left out;
 * `type` and `rule` count from 1.
 * @param types messages and enums that fields refer to; asked for when the table is first needed.
 */
export function message<T>(
  typeName: string,
  rows: string,
  types: () => readonly unknown[] = () => [],
  oneofs: readonly OneofRow[] = [],
  rules: readonly unknown[] = [],
): MessageType<T> {
  return createCodec<T>(typeName, () => createTable(rows, types(), oneofs, rules))
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

function createTable(rows: string, types: readonly unknown[], oneofRows: readonly OneofRow[], rules: readonly unknown[]): Table {
  const parsed = rows === '' ? [] : rows.split(';').map((row) => row.split(' '))
  const oneofs = oneofRows.map(
    ([name, ids, required]): Oneof => ({
      name,
      ids,
      members: parsed.filter(([id]) => ids.includes(Number(id))).map((row) => row[1] as string),
      required: required === 1,
    }),
  )
  const fields = parsed.map((row) => createField(row, types, oneofs, rules)).sort((a, b) => a.id - b.id)
  return {
    fields,
    byId: new Map(fields.map((field) => [field.id, field])),
    byName: new Map(fields.flatMap((field) => [[field.jsonName, field] as const, [field.name, field] as const])),
    oneofs,
    walks: createWalks(),
  }
}

function createField(
  row: readonly string[],
  types: readonly unknown[],
  oneofs: readonly Oneof[],
  rules: readonly unknown[],
): Field {
  const name = asKey(row[1] as string)
  const number = (column: number): number => Number(row[column] ?? 0)
  const [id, kind, flags] = [number(0), number(2), number(3)]
  const has = (flag: number): boolean => (flags & flag) !== 0
  const target = types[number(4) - 1]
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
    keyKind: number(5),
    rules: rules[number(6) - 1],
    oneof: oneofs.find((oneof) => oneof.ids.includes(id)),
    table: undefined,
  }
}

/** The same text as the one string that all objects have for a key: a part of a longer text is looked up each time it is used as one. */
function asKey(name: string): string {
  return Object.keys({ [name]: 0 })[0] as string
}

/** `connect_timeout` -> `connectTimeout`, by protoc's rule. */
export function jsonName(name: string): string {
  return name.replace(/_+([a-zA-Z0-9])?/g, (_, letter: string | undefined) => letter?.toUpperCase() ?? '')
}
