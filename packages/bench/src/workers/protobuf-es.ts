import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFileRegistry, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { PROTOBUF_PEERS } from '../peers/protobuf.js'
import type { XdsMessage } from '../xds-messages.js'
import type { Codec } from './xds-types.js'

export function protobufEs({ type, json }: XdsMessage): Codec {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(PROTOBUF_PEERS, 'api.binpb'))))
  const schema = registry.getMessage(type.typeName)
  if (schema === undefined) throw new Error(`no ${type.typeName}`)
  const options = { registry, useProtoFieldName: true }
  return {
    encode: () => toBinary(schema, fromJson(schema, json as JsonValue, options)),
    decode: (bytes) => toJson(schema, fromBinary(schema, bytes), options),
    again: (decoded) => toBinary(schema, fromJson(schema, decoded as JsonValue, options)),
  }
}
