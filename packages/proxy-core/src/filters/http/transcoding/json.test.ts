import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Descriptors, type MessageDescriptor, readDescriptors } from './descriptors.js'
import { fromJson } from './from-json.js'
import { parseJson } from './methods.js'
import { TranscodingError, toJson } from './to-json.js'
import { lengthDelimited, readWire, tagBytes, varintBytes } from './wire.js'

const text = (number: number, value: string): Buffer => lengthDelimited(number, Buffer.from(value))
const int = (number: number, value: number): Buffer => Buffer.concat([tagBytes(number, 0), varintBytes(BigInt(value))])
const field = (name: string, number: number, type: number, typeName = '', repeated = false): Buffer =>
  lengthDelimited(2, Buffer.concat([text(1, name), int(3, number), int(4, repeated ? 3 : 1), int(5, type), text(6, typeName)]))
const message = (name: string, ...fields: Buffer[]): Buffer => lengthDelimited(4, Buffer.concat([text(1, name), ...fields]))
const KIND = lengthDelimited(
  5,
  Buffer.concat([
    text(1, 'Kind'),
    ...['NONE', 'BIG'].map((name, i) => lengthDelimited(2, Buffer.concat([text(1, name), int(2, i)]))),
  ]),
)
const file = (name: string, ...parts: Buffer[]): Buffer => lengthDelimited(1, Buffer.concat([text(2, name), ...parts]))
const SET = Buffer.concat([
  file(
    't',
    message(
      'All',
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 18].map((type) => field(`f_${type}`, type, type)),
      field('kind', 20, 14, '.t.Kind'),
      field('list', 21, 5, '', true),
      field('inner', 22, 11, '.t.All'),
      field('when', 23, 11, '.google.protobuf.Timestamp'),
      field('long', 24, 11, '.google.protobuf.Duration'),
      field('any', 25, 11, '.google.protobuf.Struct'),
      field('maybe', 26, 11, '.google.protobuf.StringValue'),
    ),
    KIND,
  ),
  file(
    'google.protobuf',
    ...['Timestamp', 'Duration'].map((name) => message(name, field('seconds', 1, 3), field('nanos', 2, 5))),
    message('Struct'),
    message('StringValue', field('value', 1, 9)),
  ),
])
const types = readDescriptors(SET) as Descriptors
const ALL = types.message('t.All') as MessageDescriptor
const print = { preserveNames: false, enumsAsInts: false, alwaysPrint: false }
const there = (json: unknown, parse = { caseInsensitiveEnums: false }): Buffer => fromJson(json, ALL, types, parse)
const back = (bytes: Buffer, options = print): unknown => JSON.parse(JSON.stringify(toJson(bytes, ALL, types, options)))

describe('JSON of messages', () => {
  it('goes to the wire and back', () => {
    const scalars = fc.record({
      f1: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      f3: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
      f4: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      f5: fc.integer(),
      f6: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      f7: fc.nat(),
      f8: fc.boolean(),
      f9: fc.string({ unit: 'grapheme' }),
      f12: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
      f13: fc.nat(),
      f15: fc.integer(),
      f16: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
      f17: fc.integer(),
      f18: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
      kind: fc.constantFrom('NONE', 'BIG'),
      any: fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false }), { noNullPrototype: true }),
    })
    fc.assert(
      fc.property(scalars, fc.array(fc.integer(), { minLength: 1 }), (one, list) => {
        const json = JSON.parse(JSON.stringify({ ...one, list, inner: one }))
        expect(back(there(json))).toEqual(json)
      }),
      { numRuns: 100 },
    )
  })

  it('well-known types', () => {
    const json = { when: '2026-11-21T13:00:00.250Z', long: '-1.000000001s', maybe: 'text' }
    expect(back(there(json))).toEqual(json)
  })

  it.each([
    { f5: 2 ** 31 },
    { f13: -1 },
    { f5: 'x' },
    { f5: 1.5 },
    { kind: 'SMALL' },
    { f8: 'maybe' },
    { f9: 1 },
    { when: 'today' },
    { inner: [] },
  ])('%j is refused', (json) => {
    expect(() => there(json)).toThrow()
  })

  it('CVE-2026-48042: a body that is nested without end is told, not followed', () => {
    const nested = (depth: number): Buffer => Buffer.from(`${'{"inner":'.repeat(depth)}{}${'}'.repeat(depth)}`)
    expect(parseJson(nested(50))).toBeDefined()
    expect(() => parseJson(nested(100_000))).toThrow(TranscodingError)
    expect(() => parseJson(Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)))).toThrow(TranscodingError)
  })

  it('takes texts for numbers, enums in any case by option, and passes unknown fields over', () => {
    expect(back(there({ f5: '7', f3: 5, f_1: '1.5', unknown: {} }))).toEqual({ f5: 7, f3: '5', f1: 1.5 })
    expect(back(there({ kind: 'big' }, { caseInsensitiveEnums: true }))).toEqual({ kind: 'BIG' })
  })

  it('prints names, defaults and enums as asked', () => {
    const printed = back(there({ kind: 'BIG' }), { preserveNames: true, enumsAsInts: true, alwaysPrint: true })
    expect(printed).toMatchObject({ kind: 1, f_9: '', f_3: '0', f_5: 0, f_8: false, list: [] })
  })

  it('bytes that are no message are told, never taken for one', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          toJson(bytes, ALL, types, print)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
        readDescriptors(bytes)
        readWire(bytes)
      }),
    )
  })
})
