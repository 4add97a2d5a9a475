import { describe, noteJson } from '../context.js'
import { KIND } from '../kinds.js'
import { isZero, kindName, normalScalar, readScalar, scalarToJson, wireTypeOf, writeScalar, zeroOf } from '../scalars.js'
import type { WellKnownType } from '../types.js'
import { readFields } from './simple.js'

function wrapper(name: string, kind: number): WellKnownType {
  const tag = (1 << 3) | wireTypeOf(kind)
  return {
    typeName: `google.protobuf.${name}`,
    write(writer, value) {
      if (isZero(kind, value) && normalScalar(kind, value) !== undefined) return
      writeScalar(writer, kind, value)
      writer.varint32(tag)
    },
    read(reader) {
      let value = zeroOf(kind)
      readFields(reader, (got) => {
        if (got !== tag) return false
        value = readScalar(reader, kind)
        return true
      })
      return value
    },
    fromJson(json, path, place) {
      const value = normalScalar(kind, json)
      return value === undefined
        ? noteJson(place, 'wrong_type', path, `expected ${kindName(kind)}, got ${describe(json)}`)
        : value
    },
    toJson: scalarToJson,
  }
}

export const BoolValue: WellKnownType = /*#__PURE__*/ wrapper('BoolValue', KIND.bool)
export const BytesValue: WellKnownType = /*#__PURE__*/ wrapper('BytesValue', KIND.bytes)
export const DoubleValue: WellKnownType = /*#__PURE__*/ wrapper('DoubleValue', KIND.double)
export const FloatValue: WellKnownType = /*#__PURE__*/ wrapper('FloatValue', KIND.float)
export const Int32Value: WellKnownType = /*#__PURE__*/ wrapper('Int32Value', KIND.int32)
export const Int64Value: WellKnownType = /*#__PURE__*/ wrapper('Int64Value', KIND.int64)
export const StringValue: WellKnownType = /*#__PURE__*/ wrapper('StringValue', KIND.string)
export const UInt32Value: WellKnownType = /*#__PURE__*/ wrapper('UInt32Value', KIND.uint32)
export const UInt64Value: WellKnownType = /*#__PURE__*/ wrapper('UInt64Value', KIND.uint64)
