// The in-memory shapes of google.protobuf's well-known types: those of canonical proto JSON.

/**
 * `{ '@type': 'type.googleapis.com/envoy.…', …fields }` for a type in the registry; well-known types inside have their JSON
 * form under `value`. A type that the registry does not know stays packed: `{ type_url, value: Uint8Array }`.
 */
export interface Any {
  readonly '@type'?: string
  readonly [field: string]: unknown
}

/** Base64 in text; decoders give base64 (standard alphabet, padded), encoders take either. */
export type Bytes = string | Uint8Array
/** Seconds with up to nine decimals: `1.5s`. */
export type Duration = string
/** RFC 3339 with up to nine decimals: `2026-01-02T03:04:05.5Z`. */
export type Timestamp = string
/** 64-bit integers are decimal text in canonical JSON; encoders also take safe integers. */
export type Int64 = string | number
/** Paths joined by commas, lowerCamelCase. */
export type FieldMask = string
export type Empty = Record<string, never>
export type NullValue = null
/** Any JSON value. */
export type Value = unknown
export type ListValue = readonly unknown[]
export type Struct = { readonly [key: string]: unknown }
export type BoolValue = boolean
export type BytesValue = Bytes
export type DoubleValue = number
export type FloatValue = number
export type Int32Value = number
export type Int64Value = Int64
export type StringValue = string
export type UInt32Value = number
export type UInt64Value = Int64

/** A oneof: at most one of the properties of `T`. Which one it is, its presence tells. */
export type OneOf<T> = {
  [Set in keyof T]-?: { [Name in Set]?: T[Name] } & { [Name in Exclude<keyof T, Set>]?: undefined }
}[keyof T]
