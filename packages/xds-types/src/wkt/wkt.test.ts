import { describe, expect, it } from 'vitest'
import { createPlace } from '../context.js'
import type { WellKnownType } from '../types.js'
import { createReader } from '../wire/reader.js'
import { createWriter } from '../wire/writer.js'
import * as wkt from './index.js'

function roundTrip(type: WellKnownType, value: unknown): unknown {
  const writer = createWriter()
  type.write(writer, value, createPlace(undefined))
  return type.read(createReader(writer.finish()), createPlace(undefined))
}
const readJson = (type: WellKnownType, json: unknown): unknown =>
  type.fromJson(json, '', { registry: undefined, diagnostics: [], depth: 0, values: 0 })

describe('Duration', () => {
  it.each([
    ['1.5s', '1.500s'],
    ['-0.5s', '-0.500s'],
    ['0s', '0s'],
    ['3.000001s', '3.000001s'],
    ['0.000000001s', '0.000000001s'],
    ['315576000000s', '315576000000s'],
  ])('%s is %s', (text, canonical) => {
    expect(roundTrip(wkt.Duration, text)).toBe(canonical)
    expect(readJson(wkt.Duration, text)).toBe(canonical)
  })

  it.each(['1', '1m', '1.s', '.5s', '1.0000000001s', '315576000001s', '+1s', 1, null, {}])('%j is none', (text) => {
    expect(readJson(wkt.Duration, text)).toBeUndefined()
  })
})

describe('Timestamp', () => {
  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.5+01:00', '2026-01-02T02:04:05.500Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
    ['1969-12-31T23:59:59.25Z', '1969-12-31T23:59:59.250Z'],
  ])('%s is %s', (text, canonical) => {
    expect(roundTrip(wkt.Timestamp, text)).toBe(canonical)
    expect(readJson(wkt.Timestamp, text)).toBe(canonical)
  })

  it.each(['2026-01-02', '2026-13-02T00:00:00Z', '0000-01-01T00:00:00Z', '2026-01-02T03:04:05', 5])('%j is none', (text) => {
    expect(readJson(wkt.Timestamp, text)).toBeUndefined()
  })
})

describe('the others', () => {
  it.each<[string, WellKnownType, unknown]>([
    ['Struct', wkt.Struct, { a: [1, null, { b: 'x' }], c: true, d: -1.5 }],
    ['Value', wkt.Value, null],
    ['Value', wkt.Value, 'text'],
    ['ListValue', wkt.ListValue, [[], {}, 0]],
    ['FieldMask', wkt.FieldMask, 'user.displayName,photo'],
    ['Empty', wkt.Empty, {}],
    ['Int64Value', wkt.Int64Value, '-9223372036854775808'],
    ['UInt64Value', wkt.UInt64Value, '18446744073709551615'],
    ['DoubleValue', wkt.DoubleValue, Number.NaN],
    ['FloatValue', wkt.FloatValue, 0.1],
    ['BytesValue', wkt.BytesValue, '+/8='],
    ['BoolValue', wkt.BoolValue, false],
    ['StringValue', wkt.StringValue, ''],
    ['UInt32Value', wkt.UInt32Value, 4294967295],
    ['Int32Value', wkt.Int32Value, -1],
  ])('%s comes back', (_, type, value) => {
    expect(roundTrip(type, value)).toEqual(value)
  })

  it('print what JSON cannot hold as text', () => {
    expect(wkt.DoubleValue.toJson(Number.NEGATIVE_INFINITY, {})).toBe('-Infinity')
    expect(readJson(wkt.DoubleValue, 'NaN')).toBeNaN()
    expect(readJson(wkt.Int64Value, 2 ** 53 + 2)).toBeUndefined()
    expect(wkt.BytesValue.toJson(Uint8Array.of(251, 255), {})).toBe('+/8=')
  })

  it('take base64 of either alphabet, with and without padding', () => {
    for (const text of ['+/8=', '+/8', '-_8', '-_8=']) expect(roundTrip(wkt.BytesValue, text), text).toBe('+/8=')
    for (const text of ['+', '+/8==== ', '!!!!']) expect(readJson(wkt.BytesValue, text), text).toBeUndefined()
  })
})
