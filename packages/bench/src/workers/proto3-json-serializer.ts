import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type protobuf from 'protobufjs'
import { FILES, ROOTS, resolveIn } from '../envoy-api.js'
import { PROTOBUF_PEERS } from '../peers/protobuf.js'
import type { XdsMessage } from '../xds-messages.js'
import type { Codec } from './xds-types.js'

interface Serializer {
  fromProto3JSON(type: protobuf.Type, json: unknown): protobuf.Message | null
  toProto3JSON(message: protobuf.Message): unknown
}

/** With protobufjs 7, which it wants, by reflection: it needs descriptions of the types. */
export function serializer({ type, registry, json }: XdsMessage): Codec {
  const peers = createRequire(join(PROTOBUF_PEERS, 'index.js'))
  const { fromProto3JSON, toProto3JSON } = peers('proto3-json-serializer') as Serializer
  const own = createRequire(peers.resolve('proto3-json-serializer'))
  const { Root } = own('protobufjs') as typeof protobuf
  const root = new Root()
  root.resolvePath = (_origin, target) => resolveIn([...ROOTS, dirname(own.resolve('protobufjs/package.json'))], target)
  root.loadSync([...FILES])
  root.resolveAll()
  const message = root.lookupType(type.typeName)
  // Names in lowerCamelCase, as it wants them: its own, of the same bytes.
  const camel = toProto3JSON(message.decode(type.encode(json, registry)))
  const encode = (value: unknown): Uint8Array => message.encode(fromProto3JSON(message, value) as protobuf.Message).finish()
  return {
    encode: () => encode(camel),
    decode: (bytes) => toProto3JSON(message.decode(bytes)),
    again: encode,
  }
}
