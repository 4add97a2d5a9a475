import { create, type MessageInitShape } from '@bufbuild/protobuf'
import {
  type DescriptorProtoSchema,
  type EnumDescriptorProtoSchema,
  type FieldDescriptorProtoSchema,
  type FileDescriptorProtoSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import protobuf from 'protobufjs'
import { jsonName } from '../src/describe.js'
import { LEFT_OUT, typesOf } from './load.js'
import { packageOf } from './names.js'

type File = MessageInitShape<typeof FileDescriptorProtoSchema>
type Descriptor = MessageInitShape<typeof DescriptorProtoSchema>

/** The parsed API as descriptors, a file for each .proto: the same facts as our tables, by another way. For tests and benches. */
export function descriptorSetOf(root: protobuf.Root): FileDescriptorSet {
  const files = new Map<string, (protobuf.Type | protobuf.Enum)[]>()
  for (const type of typesOf(root)) {
    if (type instanceof protobuf.Service || type.parent instanceof protobuf.Type) continue
    const name = fileOf(type)
    const isWellKnown = name.startsWith('google/protobuf/') && !name.endsWith('descriptor.proto')
    if (LEFT_OUT.test(packageOf(type)) && !isWellKnown) continue
    files.set(name, [...(files.get(name) ?? []), type])
  }
  const file = [...files].map(([name, types]) => describeFile(name, types))
  return create(FileDescriptorSetSchema, { file: sorted(file) })
}

function describeFile(name: string, types: readonly (protobuf.Type | protobuf.Enum)[]): File {
  const messages = types.filter((type): type is protobuf.Type => type instanceof protobuf.Type)
  const enums = types.filter((type): type is protobuf.Enum => type instanceof protobuf.Enum)
  const dependency = new Set(messages.flatMap((type) => [...filesOf(type)]))
  dependency.delete(name)
  return {
    name,
    package: packageOf(types[0] as protobuf.Type),
    syntax: name === 'io/prometheus/client/metrics.proto' ? 'proto2' : 'proto3',
    dependency: [...dependency],
    messageType: messages.map(describeMessage),
    enumType: enums.map(describeEnum),
  }
}

function* filesOf(type: protobuf.Type): Generator<string> {
  for (const field of type.fieldsArray) {
    field.resolve()
    if (field.resolvedType !== null) yield fileOf(field.resolvedType)
  }
  for (const nested of type.nestedArray) if (nested instanceof protobuf.Type) yield* filesOf(nested)
}

/** A type is in the file of what it is nested in; a type that the overlay adds is in the file that the overlay stands for. */
function fileOf(type: protobuf.ReflectionObject): string {
  if (type.parent instanceof protobuf.Type) return fileOf(type.parent)
  const file = (type.filename ?? '').replaceAll('\\', '/')
  const [, relative] = /(?:deps\/[\w-]+|protos\/overlay|protos|protobufjs|^envoy-api)\/(.*)$/.exec(file) ?? []
  // Well-known types that protobufjs brings along have no file; these four need one another.
  return relative ?? `google/protobuf/${/^(Struct|Value|ListValue|NullValue)$/.test(type.name) ? 'struct' : type.name}.proto`
}

/** Dependencies first, as a registry wants them. */
function sorted(files: readonly File[]): File[] {
  const byName = new Map(files.map((file) => [file.name, file]))
  const done = new Set<File>()
  const visit = (file: File): void => {
    if (done.has(file)) return
    done.add(file)
    for (const name of file.dependency ?? []) visit(byName.get(name) as File)
    order.push(file)
  }
  const order: File[] = []
  for (const file of files) visit(file)
  return order
}

function describeEnum(type: protobuf.Enum): MessageInitShape<typeof EnumDescriptorProtoSchema> {
  return {
    name: type.name,
    value: Object.entries(type.values).map(([name, number]) => ({ name, number })),
    options: { allowAlias: true },
  }
}

function describeMessage(type: protobuf.Type): Descriptor {
  const isSynthetic = (oneof: protobuf.OneOf): boolean => oneof.name.startsWith('_')
  // Those of proto3's `optional` come last.
  const oneofs = [...type.oneofsArray].sort((a, b) => Number(isSynthetic(a)) - Number(isSynthetic(b)))
  return {
    name: type.name,
    field: type.fieldsArray.map((field) => describeField(field, oneofs)),
    oneofDecl: oneofs.map(({ name }) => ({ name })),
    nestedType: [
      ...type.nestedArray.filter((nested): nested is protobuf.Type => nested instanceof protobuf.Type).map(describeMessage),
      ...type.fieldsArray.flatMap((field) => (field instanceof protobuf.MapField ? [describeEntry(field)] : [])),
    ],
    enumType: type.nestedArray.filter((nested): nested is protobuf.Enum => nested instanceof protobuf.Enum).map(describeEnum),
  }
}

/** Numbers of FieldDescriptorProto.Type. */
const TYPES: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
}
const entryName = (field: { readonly name: string }): string => `${field.name}__entry`

function describeField(
  field: protobuf.Field,
  oneofs: readonly protobuf.OneOf[],
): MessageInitShape<typeof FieldDescriptorProtoSchema> {
  const { name, id: number, partOf } = field
  const map = field instanceof protobuf.MapField
  return {
    name,
    number,
    jsonName: jsonName(name),
    label: field.repeated || map ? 3 : 1,
    ...(map ? { type: 11, typeName: `${field.parent?.fullName}.${entryName(field)}` } : typeOf(field)),
    ...(partOf === null ? {} : { oneofIndex: oneofs.indexOf(partOf), proto3Optional: partOf.name.startsWith('_') }),
  }
}

function typeOf(field: Pick<protobuf.Field, 'resolve' | 'resolvedType' | 'type'>): { type: number; typeName?: string } {
  field.resolve()
  const target = field.resolvedType
  if (target === null) return { type: TYPES[field.type] as number }
  return { type: target instanceof protobuf.Enum ? 14 : 11, typeName: target.fullName }
}

function describeEntry(field: protobuf.MapField): Descriptor {
  return {
    name: entryName(field),
    options: { mapEntry: true },
    field: [
      { name: 'key', number: 1, label: 1, type: TYPES[field.keyType] as number },
      { name: 'value', number: 2, label: 1, ...typeOf(field) },
    ],
  }
}
