import { join } from 'node:path'
import { forReflection, loadEnvoyApi } from '../envoy-api.js'
import { PROTOBUF_PEERS } from '../peers/protobuf.js'
import type { XdsMessage } from '../xds-messages.js'
import type { Codec } from './xds-types.js'

interface StaticType {
  fromObject(value: object): object
  encode(message: object): { finish(): Uint8Array }
  decode(bytes: Uint8Array): object
}
interface StaticAny {
  type_url: string
  value: Uint8Array
}

/** The module that pbjs writes. It has no JSON: its messages are made before anything is timed, and what is in an Any is packed and opened. */
export async function protobufjsStatic({ type, json }: XdsMessage): Promise<Codec> {
  const module = (await import(join(PROTOBUF_PEERS, 'static.js'))) as object
  const typeOf = (name: string): StaticType =>
    name.split('.').reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], module) as StaticType
  const nameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1)
  const root = loadEnvoyApi()
  const reflected = root.lookupType(type.typeName)
  // Reflection packs each Any; opened again, that is the message and what is in it.
  const packed = reflected.encode(reflected.fromObject(forReflection(root, reflected, json))).finish()
  const own = typeOf(type.typeName)
  const message = own.decode(packed)
  const inner = [...anysOf(message)].map((any) => {
    const innerType = typeOf(nameOf(any.type_url))
    return { any, innerType, value: innerType.decode(any.value) }
  })
  const encode = (): Uint8Array => {
    for (const { any, innerType, value } of inner) any.value = innerType.encode(value).finish()
    return own.encode(message).finish()
  }
  return {
    encode,
    decode(bytes) {
      const decoded = own.decode(bytes)
      if (inner.length > 0) for (const any of anysOf(decoded)) typeOf(nameOf(any.type_url)).decode(any.value)
      return decoded
    },
    again: (decoded) => own.encode(decoded as object).finish(),
  }
}

/** The packed messages in a message; none is nested in another here. */
function* anysOf(value: unknown): Generator<StaticAny> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  if ('type_url' in value && 'value' in value && Object.hasOwn(value, 'type_url')) yield value as StaticAny
  else for (const item of Object.values(value)) yield* anysOf(item)
}
