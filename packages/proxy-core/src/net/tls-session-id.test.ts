import { expect, test } from 'vitest'
import { sessionIdOf } from './tls-session-id.js'

const element = (tag: number, content: string): string =>
  tag.toString(16).padStart(2, '0') + (content.length / 2).toString(16).padStart(2, '0') + content
/** The first fields of OpenSSL's SSL_SESSION_ASN1: two versions, the cipher, the identifier, the secret. */
const session = (id: string): Uint8Array =>
  Buffer.from(element(0x30, `020101${element(2, '0303')}${element(4, 'c02b')}${element(4, id)}${element(4, 'aa')}`), 'hex')

test('the identifier of a session is told in hex, and one that has none tells nothing', () => {
  expect(sessionIdOf(session('00ff10'))).toBe('00ff10')
  expect(sessionIdOf(session(''))).toBeUndefined()
  expect(sessionIdOf(undefined)).toBeUndefined()
  const labelled = Buffer.concat([Buffer.from('\0nodejs:0 a.example '), session('00ff10')])
  expect(sessionIdOf(labelled)).toBe('00ff10')
  expect(sessionIdOf(Buffer.from('\0nodejs:0'))).toBeUndefined()
})
