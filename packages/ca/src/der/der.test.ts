import { describe, expect, it } from 'vitest'
import { MAX_DER_BYTES, readDer, readOid } from './reader.js'
import { bitString, context, element, integer, oid, sequence, time, utf8String } from './writer.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('DER', () => {
  it.each([
    ['integer 0', integer(bytes(0)), '020100'],
    ['integer with its first bit set', integer(bytes(0x80)), '02020080'],
    ['integer with zeros in front', integer(bytes(0, 0, 1)), '020101'],
    ['object identifier', oid('1.2.840.113549.1.1.11'), '06092a864886f70d01010b'],
    ['object identifier of the third root', oid('2.5.29.17'), '0603551d11'],
    ['UTCTime in 2049', time(Date.UTC(2049, 11, 31, 23, 59, 59)), '170d3439313233313233353935395a'],
    ['GeneralizedTime from 2050', time(Date.UTC(2050, 0, 1)), '180f32303530303130313030303030305a'],
    ['long content', element(0x04, new Uint8Array(200)), `0481c8${'00'.repeat(200)}`],
  ])('writes %s', (_, der, hex) => {
    expect(Buffer.from(der).toString('hex')).toBe(hex)
    expect(readDer(der).ok).toBe(true)
  })

  it('reads what it writes', () => {
    const read = readDer(sequence(oid('1.3.101.112'), context(0, utf8String('é')), bitString(bytes(1))))
    if (!read.ok) throw new Error(read.diagnostics[0]?.message)
    expect(readOid(read.value.children[0])).toBe('1.3.101.112')
    expect(read.value.children[1]?.children[0]?.content).toEqual(new TextEncoder().encode('é'))
  })

  it.each([
    ['nothing', ''],
    ['a lone tag', '30'],
    ['bytes after the end', '02010000'],
    ['a length past the end', '3005020100'],
    ['a child past its parent', '3003020500'],
    ['an indefinite length', '30800000'],
    ['a long form for a short length', '308103020100'],
    ['a length with a zero in front', '3082000302010000'],
    ['a length of four bytes', '3084000000030201ff'],
    ['a tag of several bytes', '1f8101020100'],
  ])('refuses %s', (_, hex) => {
    expect(readDer(new Uint8Array(Buffer.from(hex, 'hex'))).ok).toBe(false)
  })

  it('refuses deep nesting and long input without overflowing the stack', () => {
    let deep: Uint8Array = integer(bytes(1))
    for (let i = 0; i < 33; i++) deep = sequence(deep)
    expect(readDer(deep)).toMatchObject({ ok: false, diagnostics: [{ message: expect.stringContaining('deeper than 32') }] })
    expect(readDer(new Uint8Array(MAX_DER_BYTES + 1)).ok).toBe(false)
  })

  it('refuses object identifiers with padding or arcs beyond 2^53', () => {
    for (const hex of ['0603808001', `060a2aff${'ff'.repeat(7)}7f`, '06022a86']) {
      const read = readDer(new Uint8Array(Buffer.from(hex, 'hex')))
      expect(read.ok && readOid(read.value), hex).toBeFalsy()
    }
  })
})
