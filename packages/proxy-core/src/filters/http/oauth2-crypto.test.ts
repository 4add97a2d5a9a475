import { createHash, createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  codeChallenge,
  createCodeVerifier,
  createCsrfToken,
  decryptText,
  encryptText,
  isCsrfToken,
  sameText,
  signParts,
} from './oauth2-crypto.js'

it('parts are signed a line each, as Envoy signs its cookies', () => {
  expect(signParts('s', 'host', '1', 'token', '', '')).toBe(
    createHmac('sha256', 's').update('host\n1\ntoken\n\n').digest('base64'),
  )
  expect(sameText('a', 'a')).toBe(true)
  expect(sameText('a', 'ab')).toBe(false)
})

it('what is encrypted reads under its own secret only, and never twice the same', () => {
  const sealed = encryptText('s', 'verifier')
  expect(decryptText('s', sealed)).toBe('verifier')
  expect(encryptText('s', 'verifier')).not.toBe(sealed)
  expect(decryptText('other', sealed)).not.toBe('verifier')
  for (const bad of ['', 'x', sealed.slice(0, 20), '!!!']) expect(decryptText('s', bad)).toBeUndefined()
})

it('a CSRF token is made by the secret', () => {
  const token = createCsrfToken('s')
  expect([isCsrfToken('s', token), isCsrfToken('other', token)]).toEqual([true, false])
  for (const bad of ['', '.', 'a', 'a.b', `x${token}`]) expect(isCsrfToken('s', bad)).toBe(false)
})

it('PKCE: the challenge is the hash of a verifier of 43 characters (RFC 7636)', () => {
  const verifier = createCodeVerifier()
  expect(verifier).toMatch(/^[\w-]{43}$/)
  expect(codeChallenge(verifier)).toBe(createHash('sha256').update(verifier).digest('base64url'))
})
