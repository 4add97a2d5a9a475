export { any, anyBytes, isType, packedAny, resolveTypedStruct, typeUrlOf, unpack } from './any.js'
export { EncodeError, MAX_BYTES, MAX_DEPTH } from './context.js'
export { writtenOnce } from './kept-bytes.js'
export { FLAG, KIND } from './kinds.js'
export { createTypeRegistry, typeNameOf } from './registry.js'
export type { ResourceGroup, ResourceSet, VersionedResource } from './resource-set.js'
export type { ResourceRef, ResourceType } from './resource-type.js'
export type { Any, Bytes, Duration, FieldMask, Int64, ListValue, Struct, Timestamp, Value } from './shapes.js'
export type {
  EnumType,
  Field,
  JsonOptions,
  MessageType,
  MethodType,
  Oneof,
  ServiceType,
  Table,
  TypeRegistry,
  WellKnownType,
} from './types.js'
export { UNKNOWN_FIELDS, unknownFieldsOf } from './unknown-fields.js'
export { fromBase64, toBase64 } from './wire/base64.js'
