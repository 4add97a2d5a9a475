import { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import { TypedStruct } from '@heddle/xds-types/xds/type/v3'

// A Struct or an Any by itself is no message of the API: it is written and read as field 2 of one that has it, without that field's head.
const FIELD_2 = 0x12
const STRUCT = 'type.googleapis.com/google.protobuf.Struct'

type Loose = Readonly<Record<string, unknown>>

export function encodeStruct(struct: object): Uint8Array {
  return withoutHead(TypedStruct.encode({ value: struct as NonNullable<TypedStruct['value']> }))
}

/** Undefined: no Struct. */
export function decodeStruct(bytes: Uint8Array): Loose | undefined {
  const decoded = TypedStruct.decode(withHead(bytes))
  return decoded.ok ? ((decoded.value.value ?? {}) as Loose) : undefined
}

/** A Struct in an Any. */
export function encodeAnyStruct(struct: object): Uint8Array {
  return withoutHead(TypedExtensionConfig.encode({ typed_config: { '@type': STRUCT, value: struct } }))
}

/** Undefined: no Any, or one of something else. */
export function decodeAnyStruct(bytes: Uint8Array): Loose | undefined {
  const decoded = TypedExtensionConfig.decode(withHead(bytes))
  const any = decoded.ok ? decoded.value.typed_config : undefined
  return any?.['@type'] === STRUCT ? ((any['value'] ?? {}) as Loose) : undefined
}

function withoutHead(bytes: Uint8Array): Uint8Array {
  let at = 1
  while (bytes[at]! >= 0x80) at++
  return bytes.subarray(at + 1)
}

function withHead(bytes: Uint8Array): Uint8Array {
  const head = [FIELD_2]
  for (let length = bytes.length; ; length >>>= 7) {
    head.push(length > 0x7f ? (length & 0x7f) | 0x80 : length)
    if (length <= 0x7f) break
  }
  const whole = new Uint8Array(head.length + bytes.length)
  whole.set(head)
  whole.set(bytes, head.length)
  return whole
}
