import {
  type EnumType,
  type Field,
  KIND,
  type MessageType,
  type MethodType,
  type Oneof,
  type ServiceType,
} from '@heddle/xds-types'
import { joined, nested, number, text } from './proto-bytes.js'

// google/protobuf/descriptor.proto, as far as it is needed to describe messages: what gRPC server reflection sends.

/** What is described of a message; its codec is not needed. */
export interface DescribedMessage {
  readonly typeName: string
  readonly table: Pick<MessageType<unknown>['table'], 'fields' | 'oneofs'>
}

export type DescribedType = DescribedMessage | EnumType<string>

/** What of one proto package is described, in one file. */
export interface PackageTypes {
  readonly name: string
  readonly types: readonly DescribedType[]
  readonly services: readonly ServiceType<object>[]
}

/** A FileDescriptorProto on the wire. */
export interface ProtoFile {
  readonly name: string
  readonly bytes: Uint8Array
  /** Names of the files that it imports. */
  readonly dependencies: readonly string[]
}

type Bytes = readonly Uint8Array[]
/** Notes that a file needs a type; its name as fields have it. */
type Refer = (typeName: string) => string

const [REPEATED, OPTIONAL] = [3, 1]
/** Packages that are written in proto2. */
const PROTO2: ReadonlySet<string> = new Set(['io.prometheus.client'])

/** `envoy.config.core.v3` -> `envoy/config/core/v3.proto`: the API has many files a package, but no circles between packages. */
export function fileOfPackage(name: string): string {
  return name === '' ? 'types.proto' : `${name.replaceAll('.', '/')}.proto`
}

/** `envoy.admin.v3.ServerInfo.State` -> `envoy.admin.v3`. */
export function packageOf(typeName: string): string {
  return /^(?:(.*?)\.)?[A-Z].*$/.exec(typeName)?.[1] ?? ''
}

export function describePackage({ name, types, services }: PackageTypes): ProtoFile {
  const dependencies = new Set<string>()
  const refer: Refer = (typeName) => {
    dependencies.add(fileOfPackage(packageOf(typeName)))
    return `.${typeName}`
  }
  const children = childrenOf(types)
  const body = [
    ...typesBelow(name, { children, refer, proto2: PROTO2.has(name) }, { message: 4, enum: 5 }),
    ...services.flatMap((service) => nested(6, serviceDescriptor(service, refer))),
  ]
  const file = fileOfPackage(name)
  dependencies.delete(file)
  const imports = [...dependencies].sort()
  const bytes = joined([
    ...text(1, file),
    ...text(2, name),
    ...imports.flatMap((each) => text(3, each)),
    ...body,
    ...text(12, PROTO2.has(name) ? 'proto2' : 'proto3'),
  ])
  return { name: file, bytes, dependencies: imports }
}

/** By what they stand in: the package, or a message. */
type Children = ReadonlyMap<string, readonly DescribedType[]>

function childrenOf(types: readonly DescribedType[]): Children {
  const children = new Map<string, DescribedType[]>()
  for (const type of types) {
    const parent = type.typeName.slice(0, Math.max(0, type.typeName.lastIndexOf('.')))
    const known = children.get(parent)
    if (known === undefined) children.set(parent, [type])
    else known.push(type)
  }
  return children
}

interface Scope {
  readonly children: Children
  readonly refer: Refer
  readonly proto2: boolean
}

function typesBelow(parent: string, scope: Scope, fields: { readonly message: number; readonly enum: number }): Bytes {
  return (scope.children.get(parent) ?? []).flatMap((type) =>
    'table' in type ? nested(fields.message, messageDescriptor(type, scope)) : nested(fields.enum, enumDescriptor(type)),
  )
}

function messageDescriptor(type: DescribedMessage, scope: Scope): Bytes {
  const { fields, oneofs } = type.table
  // An `optional` of proto3 is a oneof of its own; those come after the others.
  const optional = scope.proto2 ? [] : fields.filter(({ presence, oneof }) => presence && oneof === undefined)
  const oneofOf = (field: Field): Bytes => {
    if (field.oneof !== undefined) return number(9, oneofs.indexOf(field.oneof))
    const index = optional.indexOf(field)
    return index < 0 ? [] : [...number(9, oneofs.length + index), ...number(17, 1)]
  }
  return [
    ...text(1, lastOf(type.typeName)),
    ...inOrder(fields, oneofs).flatMap((field) => nested(2, [...fieldDescriptor(type, field, scope.refer), ...oneofOf(field)])),
    ...typesBelow(type.typeName, scope, { message: 3, enum: 4 }),
    ...fields.filter(({ map }) => map).flatMap((field) => nested(3, entryDescriptor(field, scope.refer))),
    ...oneofs.flatMap(({ name }) => nested(8, text(1, name))),
    ...optional.flatMap(({ name }) => nested(8, text(1, `_${name}`))),
  ]
}

/** Members of a oneof must stand together. */
function inOrder(fields: readonly Field[], oneofs: readonly Oneof[]): Field[] {
  const members = oneofs.flatMap((oneof) => fields.filter((field) => field.oneof === oneof))
  return [...fields.filter(({ oneof }) => oneof === undefined), ...members]
}

function fieldDescriptor({ typeName }: DescribedMessage, field: Field, refer: Refer): Bytes {
  const { id, name, jsonName, kind, repeated, map, packed } = field
  const numeric = kind !== KIND.string && kind !== KIND.bytes && kind !== KIND.message
  return [
    ...text(1, name),
    ...number(3, id),
    ...number(4, repeated || map ? REPEATED : OPTIONAL),
    ...number(5, map ? KIND.message : kind),
    ...text(6, map ? `.${typeName}.${entryName(name)}` : targetOf(field, refer)),
    ...(repeated && numeric ? nested(8, number(2, packed ? 1 : 0)) : []),
    ...text(10, jsonName),
  ]
}

/** '' for scalars. */
function targetOf({ message, wellKnown, enum: values }: Field, refer: Refer): string {
  const typeName = message?.typeName ?? wellKnown?.typeName ?? values?.typeName
  return typeName === undefined ? '' : refer(typeName)
}

/** A map is a list of entries. */
function entryDescriptor(field: Field, refer: Refer): Bytes {
  const member = (name: string, id: number, kind: number, target: string): Bytes =>
    nested(2, [
      ...text(1, name),
      ...number(3, id),
      ...number(4, OPTIONAL),
      ...number(5, kind),
      ...text(6, target),
      ...text(10, name),
    ])
  return [
    ...text(1, entryName(field.name)),
    ...member('key', 1, field.keyKind, ''),
    ...member('value', 2, field.kind, targetOf(field, refer)),
    ...nested(7, number(7, 1)),
  ]
}

/** protoc's rule. */
function entryName(field: string): string {
  return `${field.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Entry`
}

function enumDescriptor({ typeName, values }: EnumType<string>): Bytes {
  // The first of proto3 is 0.
  const all = Object.entries(values).sort(([, a], [, b]) => Number(b === 0) - Number(a === 0))
  const aliased = new Set(Object.values(values)).size < all.length
  return [
    ...text(1, lastOf(typeName)),
    ...all.flatMap(([name, value]) => nested(2, [...text(1, name), ...number(2, value)])),
    ...(aliased ? nested(3, number(2, 1)) : []),
  ]
}

function serviceDescriptor({ typeName, methods }: ServiceType<object>, refer: Refer): Bytes {
  const all = Object.entries(methods as Record<string, MethodType<unknown, unknown>>)
  return [
    ...text(1, lastOf(typeName)),
    ...all.flatMap(([name, { request, response, requestStream, responseStream }]) =>
      nested(2, [
        ...text(1, name),
        ...text(2, refer(request.typeName)),
        ...text(3, refer(response.typeName)),
        ...number(5, requestStream ? 1 : 0),
        ...number(6, responseStream ? 1 : 0),
      ]),
    ),
  ]
}

function lastOf(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf('.') + 1)
}
