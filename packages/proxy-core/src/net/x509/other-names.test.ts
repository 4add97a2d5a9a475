import { expect, test } from 'vitest'
import { readSubjectAltNames } from './peer-certificate.js'

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, content.length]), content])
}
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes))
const otherName = (value: Buffer): Buffer => der(0xa0, oid(0x2a, 3, 4), der(0xa0, value))

/** A certificate as far as its names, in the order of RFC 5280 §4.1. */
function certificate(...names: readonly Buffer[]): Buffer {
  const extension = der(0x30, oid(0x55, 0x1d, 0x11), der(0x04, der(0x30, ...names)))
  return der(0x30, der(0x30, der(0x02, Buffer.from([1])), der(0xa3, der(0x30, extension))))
}

test('values of otherName, by their kind', () => {
  const names = [
    der(0x82, Buffer.from('a.example')),
    otherName(der(0x0c, Buffer.from('upn@a.example'))),
    otherName(der(0x16, Buffer.from('ia5'))),
    otherName(der(0x02, Buffer.from([7]))),
    otherName(der(0x02, Buffer.from([0xff]))),
  ]
  const type = '1.2.3.4'
  expect(readSubjectAltNames(certificate(...names))).toMatchObject({
    dns: ['a.example'],
    otherNames: ['upn@a.example', 'ia5', '7', '-1'].map((value) => ({ type, value })),
  })
})

test('none where there are none, or where they cannot be read', () => {
  const named = der(0x82, Buffer.from('a.example'))
  const unread = [der(0xa0, oid(0x2a)), otherName(der(0x1f, Buffer.from([1]))), otherName(der(0x02))]
  for (const names of [[named], [named, ...unread]])
    expect(readSubjectAltNames(certificate(...names))).toMatchObject({ dns: ['a.example'], otherNames: [] })
})
