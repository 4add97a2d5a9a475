import protobuf from 'protobufjs'

/** Numbers of FieldDescriptorProto.Type. */
const SCALARS: Readonly<Record<string, readonly [kind: number, type: string]>> = {
  double: [1, 'number'],
  float: [2, 'number'],
  int64: [3, '$.Int64'],
  uint64: [4, '$.Int64'],
  int32: [5, 'number'],
  fixed64: [6, '$.Int64'],
  fixed32: [7, 'number'],
  bool: [8, 'boolean'],
  string: [9, 'string'],
  bytes: [12, '$.Bytes'],
  uint32: [13, 'number'],
  sfixed32: [15, 'number'],
  sfixed64: [16, '$.Int64'],
  sint32: [17, 'number'],
  sint64: [18, '$.Int64'],
}
const MESSAGE = 11
const ENUM = 14
/** The same bits as in src/kinds.ts. */
const FLAG = { repeated: 1, optional: 2, map: 4, packed: 8, oneof: 16, sensitive: 32, deprecated: 64 }
export const WELL_KNOWN: RegExp = /^\.google\.protobuf\./

/** How a module names another message or enum. */
export type NameOf = (type: protobuf.Type | protobuf.Enum) => string

/** Gives what a row says of a type or a rule: its place in a list, from 1. */
export type PlaceOf = (item: string) => number

/** `id name kind flags type key rule` for each field, the zeros at its end left out, joined by `;`. */
export function emitRows(type: protobuf.Type, nameOf: NameOf, placeOfType: PlaceOf, placeOfRule: PlaceOf): string {
  const rows = type.fieldsArray.map((field) => {
    const { kind, ref } = valueType(field, nameOf)
    const map = field instanceof protobuf.MapField ? field : undefined
    const rule = rulesOf(field)
    const row = [
      field.id,
      field.name,
      kind,
      flagsOf(field, kind),
      ref === undefined ? 0 : placeOfType(ref),
      map === undefined ? 0 : (SCALARS[map.keyType]?.[0] ?? 9),
      rule === undefined ? 0 : placeOfRule(literal(rule)),
    ]
    return row.join(' ').replace(/( 0)+$/, '')
  })
  return rows.join(';')
}

/** The arguments of `message()` after the name, as text: rows, and what they count from 1: types, oneofs, rules. */
export function emitTable(type: protobuf.Type, nameOf: NameOf): string {
  const types: string[] = []
  const rules: string[] = []
  const rows = emitRows(
    type,
    nameOf,
    (name) => placeIn(types, name),
    (rule) => placeIn(rules, rule),
  )
  const oneofs = oneofsOf(type).map((oneof) =>
    literal([oneof.name, oneof.fieldsArray.map((field) => field.id), isRequired(oneof) ? 1 : 0]),
  )
  const args = [`'${rows}'`]
  if (types.length + oneofs.length + rules.length > 0) args.push(`() => [${types.join(', ')}]`)
  if (oneofs.length + rules.length > 0) args.push(`[${oneofs.join(', ')}]`)
  if (rules.length > 0) args.push(`[${rules.join(', ')}]`)
  return args.join(', ')
}

/** The place of an item, from 1; it is put at the end when it is not in the list. */
export function placeIn(list: string[], item: string): number {
  const at = list.indexOf(item)
  return at >= 0 ? at + 1 : list.push(item)
}

/** Of a oneof that somebody wrote; proto3's `optional` makes one of its own. */
export function oneofOf(field: protobuf.Field): protobuf.OneOf | undefined {
  return field.partOf !== null && !field.partOf.name.startsWith('_') ? field.partOf : undefined
}

export function oneofsOf(type: protobuf.Type): protobuf.OneOf[] {
  return type.oneofsArray.filter((oneof) => !oneof.name.startsWith('_'))
}

export function rulesOf(field: protobuf.Field): Readonly<Record<string, unknown>> | undefined {
  return option(field, '(validate.rules)') as Readonly<Record<string, unknown>> | undefined
}

export function isDeprecated(field: protobuf.Field): boolean {
  return field.options?.['deprecated'] === true
}

function flagsOf(field: protobuf.Field, kind: number): number {
  const isPackable = ![MESSAGE, 9, 12].includes(kind)
  return (
    (field.repeated ? FLAG.repeated : 0) |
    (isOptional(field) ? FLAG.optional : 0) |
    (field instanceof protobuf.MapField ? FLAG.map : 0) |
    (field.repeated && isPackable && isPacked(field) ? FLAG.packed : 0) |
    (oneofOf(field) !== undefined ? FLAG.oneof : 0) |
    (option(field, '(udpa.annotations.sensitive)') === true ? FLAG.sensitive : 0) |
    (isDeprecated(field) ? FLAG.deprecated : 0)
  )
}

/** Of one value of the field: its kind, how a module names its message or enum, and its type in TypeScript. */
export function valueType(
  field: protobuf.Field,
  nameOf: NameOf,
): { readonly kind: number; readonly ref: string | undefined; readonly type: string } {
  field.resolve()
  const target = field.resolvedType
  if (target === null) {
    const scalar = SCALARS[field.type]
    if (scalar === undefined) throw new Error(`${field.fullName}: unresolved type ${field.type}`)
    return { kind: scalar[0], ref: undefined, type: scalar[1] }
  }
  const name = nameOf(target)
  return { kind: target instanceof protobuf.Enum ? ENUM : MESSAGE, ref: name, type: name }
}

/** The one package of proto2: each scalar is optional, lists are not packed. */
const PROTO2 = /^\.io\.prometheus\.client\./

/**
 * Keeps a zero apart from unset, without a oneof. Told from what is written: protobufjs' own `hasPresence` and `packed` take fields that
 * join a message later for proto2.
 */
export function isOptional(field: protobuf.Field): boolean {
  if (field.options?.['proto3_optional'] === true || field.partOf?.name.startsWith('_') === true) return true
  return PROTO2.test(field.fullName) && !field.repeated && !(field.resolvedType instanceof protobuf.Type)
}

function isPacked(field: protobuf.Field): boolean {
  const written = field.options?.['packed']
  return typeof written === 'boolean' ? written : !PROTO2.test(field.fullName)
}

export function isRequired(oneof: protobuf.OneOf): boolean {
  return (
    JSON.stringify(oneof.options ?? {}).includes('validate.required') ||
    JSON.stringify(oneof.parsedOptions ?? []).includes('validate.required')
  )
}

function option(field: protobuf.Field, name: string): unknown {
  const parsed: unknown = field.parsedOptions
  if (!Array.isArray(parsed)) return undefined
  return (parsed as Record<string, unknown>[]).find((entry) => name in entry)?.[name]
}

/** JSON, with keys as short as JavaScript allows. */
export function literal(value: unknown): string {
  return JSON.stringify(value).replace(/("(?:[^"\\]|\\.)*")(:?)/g, (_, text: string, colon: string) =>
    colon === ':' && /^"[A-Za-z_]\w*"$/.test(text) ? `${text.slice(1, -1)}:` : text + colon,
  )
}
