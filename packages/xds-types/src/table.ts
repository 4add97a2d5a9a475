// What the generated modules import, all of it under one namespace (`$`), so that a message called `Duration` or `Any` is no trouble.
import type * as shapes from './shapes.js'
import type { EnumType, WellKnownType } from './types.js'
import * as wkt from './wkt/index.js'

export { enumeration, message, service } from './describe.js'
export type { EnumType, MessageType, MethodType, ServiceType } from './types.js'

export type OneOf<T> = shapes.OneOf<T>
export type Bytes = shapes.Bytes
export type Int64 = shapes.Int64
export type Any = shapes.Any
export const Any: WellKnownType = wkt.Any
export type BoolValue = shapes.BoolValue
export const BoolValue: WellKnownType = wkt.BoolValue
export type BytesValue = shapes.BytesValue
export const BytesValue: WellKnownType = wkt.BytesValue
export type DoubleValue = shapes.DoubleValue
export const DoubleValue: WellKnownType = wkt.DoubleValue
export type Duration = shapes.Duration
export const Duration: WellKnownType = wkt.Duration
export type Empty = shapes.Empty
export const Empty: WellKnownType = wkt.Empty
export type FieldMask = shapes.FieldMask
export const FieldMask: WellKnownType = wkt.FieldMask
export type FloatValue = shapes.FloatValue
export const FloatValue: WellKnownType = wkt.FloatValue
export type Int32Value = shapes.Int32Value
export const Int32Value: WellKnownType = wkt.Int32Value
export type Int64Value = shapes.Int64Value
export const Int64Value: WellKnownType = wkt.Int64Value
export type ListValue = shapes.ListValue
export const ListValue: WellKnownType = wkt.ListValue
export type NullValue = shapes.NullValue
export const NullValue: EnumType<'NULL_VALUE'> = wkt.NullValue
export type StringValue = shapes.StringValue
export const StringValue: WellKnownType = wkt.StringValue
export type Struct = shapes.Struct
export const Struct: WellKnownType = wkt.Struct
export type Timestamp = shapes.Timestamp
export const Timestamp: WellKnownType = wkt.Timestamp
export type UInt32Value = shapes.UInt32Value
export const UInt32Value: WellKnownType = wkt.UInt32Value
export type UInt64Value = shapes.UInt64Value
export const UInt64Value: WellKnownType = wkt.UInt64Value
export type Value = shapes.Value
export const Value: WellKnownType = wkt.Value
