import { createHash } from 'node:crypto'
import type protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { loadApi } from '../scripts/load.js'
import { mergeOverlay } from '../scripts/overlay.js'
import { EncodeError } from '../src/context.js'
import { knownTypes } from '../src/known.js'
import type { MessageType } from '../src/types.js'
import { createMessages } from './random-message.js'
import { seededRandom } from './seeded.js'

// Another implementation on the same .proto files: protobufjs by reflection. It knows bytes but no canonical JSON, so it is the
// judge of the wire: what it reads from our bytes and writes again must be what we wrote.
const COUNT = 2000
const root = loadApi()
mergeOverlay(root)
root.resolveAll()
const types = [...knownTypes.types]
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function* cases(wide: boolean): Generator<readonly [MessageType<unknown>, Record<string, unknown>]> {
  const messages = createMessages(seededRandom(7), knownTypes, wide)
  for (let i = 0; i < COUNT; i++) {
    const type = types[(i * 7) % types.length] as MessageType<unknown>
    yield [type, messages.of(type, 4)]
  }
}

describe(`${COUNT} random messages`, () => {
  it('come back from the wire as they were, and as JSON too', () => {
    let fields = 0
    for (const [type, message] of cases(true)) {
      const bytes = type.encode(message, knownTypes)
      const decoded = type.decode(bytes, knownTypes)
      expect(decoded.ok && plain(decoded.value), type.typeName).toEqual(plain(message))
      expect(decoded.ok && createHash('sha1').update(type.encode(decoded.value, knownTypes)).digest('hex'), type.typeName).toBe(
        createHash('sha1').update(bytes).digest('hex'),
      )
      const json = plain(type.toJson(message, { registry: knownTypes }))
      expect(json, type.typeName).toEqual(plain(message))
      const read = type.fromJson(json, knownTypes)
      expect(read.ok && plain(read.value), type.typeName).toEqual(plain(message))
      fields += Object.keys(message).length
    }
    expect(fields).toBeGreaterThan(COUNT)
  })

  it('are read by protobufjs, which writes the same content', () => {
    let identical = 0
    for (const [type, message] of cases(false)) {
      const bytes = type.encode(message, knownTypes)
      const oracle = root.lookupType(type.typeName) as protobuf.Type
      const again = oracle.encode(oracle.decode(bytes)).finish()
      const back = type.decode(again, knownTypes)
      expect(back.ok && plain(back.value), type.typeName).toEqual(plain(message))
      if (Buffer.compare(Buffer.from(again), Buffer.from(bytes)) === 0) identical++
    }
    // protobufjs writes in declaration order and keeps no map order; most messages have neither out of order.
    expect(identical).toBeGreaterThan(COUNT * 0.5)
  })

  it('never make the decoder throw, whatever happens to their bytes', () => {
    const random = seededRandom(11)
    let reached = 0
    for (const [type, message] of cases(true)) {
      const bytes = type.encode(message, knownTypes)
      for (let n = 0; n < 3 && bytes.length > 0; n++) {
        const broken = bytes.slice(0, random.next() < 0.3 ? Math.floor(random.next() * bytes.length) : undefined)
        for (let k = 0; k < 1 + n; k++) broken[Math.floor(random.next() * broken.length)] = Math.floor(random.next() * 256)
        const result = type.decode(broken, knownTypes)
        if (!result.ok) {
          expect(result.diagnostics[0]?.code).toBe('xds.malformed')
          continue
        }
        reached++
        try {
          type.encode(result.value, knownTypes)
        } catch (error) {
          expect(error).toBeInstanceOf(EncodeError)
        }
      }
    }
    expect(reached).toBeGreaterThan(COUNT / 4)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
