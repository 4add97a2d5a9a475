import { expect, test } from 'vitest'
import { readSession } from './tls-session.js'

const element = (tag: number, content: string): string =>
  tag.toString(16).padStart(2, '0') + (content.length / 2).toString(16).padStart(2, '0') + content
/** The first fields of OpenSSL's SSL_SESSION_ASN1: two versions, the cipher, the identifier, the secret; then others. */
const session = (id: string, others = ''): Uint8Array =>
  Buffer.from(
    element(0x30, `020101${element(2, '0303')}${element(4, 'c02b')}${element(4, id)}${element(4, 'aa')}${others}`),
    'hex',
  )
const labelled = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.from('\0nodejs:0 a.example '), bytes])

test('the identifier of a session is told in hex, and one that has none tells nothing', () => {
  expect(readSession(session('00ff10')).id).toBe('00ff10')
  expect(readSession(session('')).id).toBeUndefined()
  expect(readSession(labelled(session('00ff10'))).id).toBe('00ff10')
})

test.each([
  ['02011d', 'X25519'],
  ['020118', 'P-384'],
  ['020211ec', 'X25519MLKEM768'],
  ['02020100', '0x0100'],
  ['020100', undefined],
])('the group of key exchange %s is %s', (integer, name) => {
  expect(readSession(session('', element(0xb3, integer) + element(0xb4, '0400')))).toEqual({ id: undefined, group: name })
})

test('what is no session tells nothing', () => {
  expect(readSession(session('')).group).toBeUndefined()
  expect(readSession(undefined)).toEqual({})
  expect(readSession(labelled(new Uint8Array()))).toEqual({})
})
