import { expect, test } from 'vitest'
import { base64Bytes, decodeBase64 } from './base64.js'
import { certificateProblem } from './certificate.js'

/** Of P-256, signed by itself, for ten years from 2026 on. */
const PEM = `-----BEGIN CERTIFICATE-----
MIIBbDCCAROgAwIBAgIUdw1zICFenjeqdNhLSknnrA5p+1YwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAeFw0yNjExMjExMDE1MjFaFw0zNjExMTgxMDE1MjFaMAwx
CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATQPKREeK8NZqyl
qtnSvY5OE2DA1l4dcUWs3QWjO9K/KD8Bv5Ug3pT2+39kKiZTbrg5aXFKwYhO3qi6
U2wz2XP1o1MwUTAdBgNVHQ4EFgQUkpVlbX7HJOiUHgt5R8dnPB4qTAcwHwYDVR0j
BBgwFoAUkpVlbX7HJOiUHgt5R8dnPB4qTAcwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNHADBEAiBLYhR6oGVyK+ww6PbOdABKJJL8J+UbnMIL6n2XyGPtXgIg
bUmWyUAn1ljoJ+bjZWlm4IwmFQJm2qrKERL0Vd19wis=
-----END CERTIFICATE-----
`
const YEAR = 365 * 86_400_000
const IN_2027 = Date.UTC(2027, 0, 1)

test('a certificate within its time', () => {
  expect(certificateProblem(PEM, IN_2027)).toBeUndefined()
  expect(certificateProblem(PEM + PEM, IN_2027)).toBeUndefined()
})

test('before and after it', () => {
  expect(certificateProblem(PEM, IN_2027 - 5 * YEAR)).toBe('not valid yet')
  expect(certificateProblem(PEM, IN_2027 + 20 * YEAR)).toBe('expired')
})

test.each([
  ['', 'no PEM'],
  ['nonsense', 'no PEM'],
  ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'not an X.509 certificate'],
  ['-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----', 'not an X.509 certificate'],
  ['-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', 'a PEM block of type PRIVATE KEY'],
  [PEM.replace(/(.{64}\n)(.{64}\n)/, '$1'), 'not an X.509 certificate'],
])('no certificate: %j', (text, problem) => expect(certificateProblem(text, IN_2027)).toBe(problem))

test('base64 is read as Node reads it', () => {
  for (const text of ['', 'a', 'ab', 'abc', 'abcd', 'grüße']) {
    const encoded = Buffer.from(text).toString('base64')
    expect(decodeBase64(encoded)).toBe(text)
    expect(base64Bytes(encoded)).toEqual(new Uint8Array(Buffer.from(text)))
  }
  expect(base64Bytes('a?b')).toBeUndefined()
})
