export { Any } from './any.js'
export { Empty, FieldMask } from './simple.js'
export { ListValue, NullValue, Struct, Value } from './struct.js'
export { Duration, Timestamp } from './time.js'
export {
  BoolValue,
  BytesValue,
  DoubleValue,
  FloatValue,
  Int32Value,
  Int64Value,
  StringValue,
  UInt32Value,
  UInt64Value,
} from './wrappers.js'
