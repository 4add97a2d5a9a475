import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readProxyHeader } from './read.js'
import { writeProxyHeader } from './write.js'

const SIGNATURE = '0d0a0d0a000d0a515549540a'
const v1 = (line: string) => readProxyHeader(Buffer.from(`PROXY ${line}\r\nGET`))
const v2 = (rest: string) => readProxyHeader(Buffer.from(`${SIGNATURE}${rest}`, 'hex'))
const source = { address: '1.2.3.4', port: 1111 }
const destination = { address: '5.6.7.8', port: 2222 }

describe('a PROXY header of version 1', () => {
  it('tells who is served', () => {
    expect(v1('TCP4 1.2.3.4 5.6.7.8 1111 2222')).toEqual({
      kind: 'header',
      version: 'V1',
      length: 38,
      proxied: { source, destination, tlvs: [] },
    })
    expect(v1('TCP6 2001:db8::1 2001:db8::2 1 2')).toMatchObject({ proxied: { source: { address: '2001:db8::1', port: 1 } } })
    expect(v1('TCP6 2001:0DB8:0000:0000:0000:0000:0000:0001 ::FFFF:1.2.3.4 1 2')).toMatchObject({
      proxied: { source: { address: '2001:db8::1' }, destination: { address: '::ffff:1.2.3.4' } },
    })
    expect(v1('UNKNOWN ffff:f...f:ffff what ever 65536')).toMatchObject({ kind: 'header', proxied: undefined })
  })

  it.each([
    'TCP4 1.2.3 5.6.7.8 1 2',
    'TCP4 1.2.3.4 5.6.7.8 99999 2',
    'TCP4 1.2.3.4 5.6.7.8 01 2',
    'TCP4 1.2.3.4 5.6.7.8 1',
    'TCP4 1.2.3.4 5.6.7.8 1 2 3',
    'TCP4  1.2.3.4 5.6.7.8 1 2',
    'TCP4 2001:db8::1 2001:db8::2 1 2',
    'TCP6 1.2.3.4 5.6.7.8 1 2',
    'TCP4 224.0.0.1 5.6.7.8 1 2',
    'TCP4 255.255.255.255 5.6.7.8 1 2',
    'TCP4 0.0.0.0 5.6.7.8 1 2',
    'TCP6 ff02::1 ::2 1 2',
    'TCP6 fe80::1%eth0 ::2 1 2',
    'UDP4 1.2.3.4 5.6.7.8 1 2',
    '',
    `TCP4 ${'1'.repeat(100)}`,
  ])('is refused: %s', (line) => {
    expect(v1(line)).toEqual({ kind: 'malformed', version: 'V1' })
  })
})

describe('a PROXY header of version 2', () => {
  const addresses = '0102030405060708045708ae'

  it.each([
    ['of a stream', `2111000c${addresses}`],
    ['of datagrams', `2112000c${addresses}`],
  ])('tells who is served: %s', (_, rest) => {
    expect(v2(rest)).toMatchObject({ kind: 'header', length: 28, proxied: { source, destination, tlvs: [] } })
  })

  it('has TLVs', () => {
    expect(v2(`21110013${addresses}e00001610200 00`.replace(' ', ''))).toMatchObject({
      length: 35,
      proxied: {
        tlvs: [
          { type: 0xe0, value: Uint8Array.of(0x61) },
          { type: 2, value: new Uint8Array() },
        ],
      },
    })
  })

  it('CVE-2024-23327: LOCAL speaks for the proxy itself, whatever follows', () => {
    expect(v2('20000000')).toEqual({ kind: 'header', version: 'V2', length: 16, proxied: undefined })
    expect(v2(`2011000f${addresses}ffffff`)).toMatchObject({ kind: 'header', length: 31, proxied: undefined })
  })

  it.each([
    ['of another version', `3111000c${addresses}`],
    ['of an unknown command', `2211000c${addresses}`],
    ['of no family', '21000000'],
    ['of Unix sockets', `213100d8${'00'.repeat(216)}`],
    ['with addresses cut short', '21110006010203040506'],
    ['with a TLV over the length', `21110010${addresses}e00fff61`],
    ['with half a TLV', `2111000e${addresses}e000`],
    ['for everybody', '2111000ce000000105060708045708ae'],
  ])('is refused: %s', (_, rest) => {
    expect(v2(rest)).toEqual({ kind: 'malformed', version: 'V2' })
  })

  it('CVE-2026-47692: what is written is as long as it says, or is not written', () => {
    const tlvs = [{ type: 1, value: new Uint8Array(65_535 - 12 - 3) }]
    const bytes = writeProxyHeader('V2', { source, destination, tlvs })
    expect(Buffer.from(bytes).readUInt16BE(14)).toBe(bytes.length - 16)
    expect(() => writeProxyHeader('V2', { source, destination, tlvs: [...tlvs, { type: 2, value: new Uint8Array() }] })).toThrow(
      RangeError,
    )
  })
})

it('is waited for as long as it may still be one, and no longer', () => {
  for (const whole of [
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    Buffer.from(`${SIGNATURE}2111000c0102030405060708045708ae`, 'hex'),
  ]) {
    const bytes = Buffer.from(whole)
    for (let length = 0; length < bytes.length; length++) expect(readProxyHeader(bytes.subarray(0, length)).kind).toBe('more')
    expect(readProxyHeader(bytes).kind).toBe('header')
  }
  for (const other of ['GET ', 'PROXX', '\x16\x03\x01', '\r\n\r\nx'])
    expect(readProxyHeader(Buffer.from(other)).kind).toBe('absent')
  expect(readProxyHeader(Buffer.from('PROXY UNKNOWN\r\n'), ['V2']).kind).toBe('absent')
})

it('says UNKNOWN, or LOCAL, of addresses that it cannot tell', () => {
  const proxied = { source, destination: { address: '/run/app.sock', port: 0 }, tlvs: [] }
  expect(Buffer.from(writeProxyHeader('V1', proxied)).toString()).toBe('PROXY UNKNOWN\r\n')
  expect(readProxyHeader(writeProxyHeader('V2', proxied))).toMatchObject({ kind: 'header', proxied: undefined })
})

it('is read as it was written, and no bytes make the reader throw', () => {
  const address = fc.oneof(fc.constant(['1.2.3.4', '9.8.7.6'] as const), fc.constant(['fd00::1', '2001:db8:0:1::2'] as const))
  const tlv = fc.record({ type: fc.nat(255), value: fc.uint8Array({ maxLength: 9 }) })
  fc.assert(
    fc.property(address, fc.nat(65_535), fc.array(tlv, { maxLength: 4 }), ([from, to], port, tlvs) => {
      const proxied = { source: { address: from, port }, destination: { address: to, port: 80 }, tlvs }
      expect(readProxyHeader(writeProxyHeader('V2', proxied))).toMatchObject({ kind: 'header', proxied })
      expect(readProxyHeader(writeProxyHeader('V1', proxied))).toMatchObject({
        kind: 'header',
        proxied: { ...proxied, tlvs: [] },
      })
    }),
    { seed: 7, numRuns: 200 },
  )
  const begun = fc.oneof(fc.constant(`${SIGNATURE}2111`), fc.constant('50524f585920'), fc.constant(''))
  fc.assert(
    fc.property(begun, fc.uint8Array({ maxLength: 60 }), (start, rest) => {
      readProxyHeader(Buffer.concat([Buffer.from(start, 'hex'), rest]))
    }),
    { seed: 8, numRuns: 1000 },
  )
})
