import { createFileRegistry, type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { descriptorSetOf } from '../scripts/descriptors.js'
import { loadApi } from '../scripts/load.js'
import { mergeOverlay } from '../scripts/overlay.js'
import { knownTypes } from '../src/known.js'
import type { Field, MessageType } from '../src/types.js'
import { createMessages, isMute } from './random-message.js'
import { seededRandom } from './seeded.js'

// Another implementation is the judge: protobuf-es, on descriptors of the same .proto files. It knows bytes and canonical JSON.
const COUNT = 6000
const ENOUGH = 3
const root = loadApi()
mergeOverlay(root)
root.resolveAll()
const oracle = createFileRegistry(descriptorSetOf(root))
const types = [...knownTypes.types]
const messages = createMessages(seededRandom(7), knownTypes)
const cases = [...takeCases()]

/** All types in turn until there are enough, then those with a field that was not set often enough. */
function* takeCases(): Generator<readonly [MessageType<unknown>, Record<string, unknown>]> {
  for (let i = 0; i < COUNT; i++) {
    const type = types[i % types.length] as MessageType<unknown>
    yield [type, messages.of(type, 3)]
  }
  for (const type of types) {
    for (let rare = rareField(type); rare !== undefined; rare = rareField(type)) yield [type, messages.of(type, 2, rare)]
  }
}

function rareField(type: MessageType<unknown>): Field | undefined {
  return type.table.fields.find((field) => (messages.set.get(field) ?? 0) < ENOUGH && !isMute(field))
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const schemaOf = (type: MessageType<unknown>): DescMessage => oracle.getMessage(type.typeName) as DescMessage
const options = { registry: oracle, useProtoFieldName: true }

describe(`${cases.length} random messages of ${types.length} types, against protobuf-es`, () => {
  it('reach everything: each message and field three times at least, Any three deep', () => {
    expect(cases.length).toBeGreaterThanOrEqual(COUNT)
    expect(types.filter((type) => cases.filter(([other]) => other === type).length < ENOUGH)).toEqual([])
    const rare = types.flatMap((type) => (rareField(type) === undefined ? [] : [type.typeName]))
    expect(rare).toEqual([])
    expect(messages.anyDepth).toBeGreaterThanOrEqual(3)
  })

  it('have the same bytes, whoever writes them from JSON', () => {
    for (const [type, message] of cases) {
      const json = plain(type.toJson(message, { registry: knownTypes })) as JsonValue
      const theirs = toBinary(schemaOf(type), fromJson(schemaOf(type), json, options))
      expect(Buffer.from(type.encode(message, knownTypes)).toString('hex'), type.typeName).toBe(
        Buffer.from(theirs).toString('hex'),
      )
    }
  })

  it('have the same JSON, whoever reads the bytes', () => {
    for (const [type, message] of cases) {
      const bytes = type.encode(message, knownTypes)
      const theirs = toJson(schemaOf(type), fromBinary(schemaOf(type), bytes), options)
      const decoded = type.decode(bytes, knownTypes)
      const ours = decoded.ok ? plain(type.toJson(decoded.value, { registry: knownTypes })) : decoded.diagnostics
      expect(ours, type.typeName).toEqual(theirs)
    }
  })

  it('are read from JSON in both spellings to what was written', () => {
    for (const [type, message] of cases) {
      const schema = schemaOf(type)
      const bytes = Buffer.from(type.encode(message, knownTypes)).toString('hex')
      for (const useProtoFieldName of [true, false]) {
        const json = toJson(schema, fromBinary(schema, Buffer.from(bytes, 'hex')), { registry: oracle, useProtoFieldName })
        const read = type.fromJson(json, knownTypes)
        expect(read.diagnostics, type.typeName).toEqual([])
        expect(read.ok && Buffer.from(type.encode(read.value, knownTypes)).toString('hex'), type.typeName).toBe(bytes)
      }
    }
  })

  it('come back from the wire as the very same bytes', () => {
    for (const [type, message] of cases) {
      const bytes = type.encode(message, knownTypes)
      const decoded = type.decode(bytes, knownTypes)
      expect(decoded.ok && Buffer.compare(type.encode(decoded.value, knownTypes), bytes), type.typeName).toBe(0)
    }
  })
})
