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

/** A field as text: the row of the table, and what its type in TypeScript is made of. */
export interface EmittedField {
  readonly row: string
  /** `$.Duration`, `Cluster_DiscoveryType`, … of one value. */
  readonly type: string
  /** Its type in the .proto, its oneof and rules, for people. */
  readonly about: string
  readonly map: boolean
  readonly deprecated: boolean
}

/** How a module names another message or enum. */
export type NameOf = (type: protobuf.Type | protobuf.Enum) => string

export function emitField(field: protobuf.Field, nameOf: NameOf): EmittedField {
  field.resolve()
  const { kind, ref, type, protoType } = valueType(field, nameOf)
  const map = field instanceof protobuf.MapField ? field : undefined
  const rules = option(field, '(validate.rules)')
  const row: string[] = [String(field.id), `'${field.name}'`, String(kind), String(flagsOf(field, kind))]
  if (ref !== undefined || map !== undefined || rules !== undefined) row.push(ref ?? '0')
  if (map !== undefined || rules !== undefined) row.push(String(map === undefined ? 0 : (SCALARS[map.keyType]?.[0] ?? 9)))
  if (rules !== undefined) row.push(JSON.stringify(rules))
  const about = [map === undefined ? protoType : `map<${map.keyType}, ${protoType}>`]
  if (isMember(field)) about.push(`one of \`${field.partOf?.name}\``)
  if (rules !== undefined) about.push(`rule ${JSON.stringify(rules)}`)
  return {
    row: `[${row.join(', ')}]`,
    type,
    about: about.join(', '),
    map: map !== undefined,
    deprecated: field.options?.['deprecated'] === true,
  }
}

/** The third argument of `message()`, with the comma before it; empty without oneofs. */
export function emitOneofs(type: protobuf.Type): string {
  const oneofs = type.oneofsArray
    .filter((oneof) => !oneof.name.startsWith('_'))
    .map((oneof) => [oneof.name, oneof.fieldsArray.map((field) => field.id), isRequired(oneof) ? 1 : 0])
  return oneofs.length === 0 ? '' : `, ${JSON.stringify(oneofs)}`
}

function flagsOf(field: protobuf.Field, kind: number): number {
  const isPackable = ![MESSAGE, 9, 12].includes(kind)
  return (
    (field.repeated ? FLAG.repeated : 0) |
    (isOptional(field) ? FLAG.optional : 0) |
    (field instanceof protobuf.MapField ? FLAG.map : 0) |
    (field.repeated && field.packed && isPackable ? FLAG.packed : 0) |
    (isMember(field) ? FLAG.oneof : 0) |
    (option(field, '(udpa.annotations.sensitive)') === true ? FLAG.sensitive : 0) |
    (field.options?.['deprecated'] === true ? FLAG.deprecated : 0)
  )
}

/** Of a oneof that somebody wrote; proto3's `optional` makes one of its own. */
function isMember(field: protobuf.Field): boolean {
  return field.partOf !== null && !field.partOf.name.startsWith('_')
}

function valueType(
  field: protobuf.Field,
  nameOf: NameOf,
): { kind: number; ref: string | undefined; type: string; protoType: string } {
  const target = field.resolvedType
  if (target === null) {
    const scalar = SCALARS[field.type]
    if (scalar === undefined) throw new Error(`${field.fullName}: unresolved type ${field.type}`)
    return { kind: scalar[0], ref: undefined, type: scalar[1], protoType: field.type }
  }
  const kind = target instanceof protobuf.Enum ? ENUM : MESSAGE
  const name = nameOf(target)
  return { kind, ref: WELL_KNOWN.test(target.fullName) ? name : `() => ${name}`, type: name, protoType: target.name }
}

function isOptional(field: protobuf.Field): boolean {
  return (
    field.options?.['proto3_optional'] === true ||
    (field.partOf?.name.startsWith('_') ?? false) ||
    (field.hasPresence && !field.repeated && field.partOf === null && field.resolvedType instanceof protobuf.Type === false)
  )
}

function isRequired(oneof: protobuf.OneOf): boolean {
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
