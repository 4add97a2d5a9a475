import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeBase64Url } from './base64url.js'
import { parseJwks, verifySignature } from './jwks.js'
import { parseJws } from './jws.js'
import { isProblem, PROBLEM } from './problems.js'
import { createTestIssuer, encoded, tampered } from './testing.js'
import { parseJwt } from './token.js'

const verdict = (token: string, jwks: string): unknown => {
  const jws = parseJws(token)
  return isProblem(jws) ? jws : verifySignature(jws, parseJwks(jwks) ?? [])
}
const { token, jwk, jwks } = createTestIssuer()

describe('base64url', () => {
  it.each(['Zg==', 'Zh', 'Z g', 'Zg\n', 'Z', 'Z+8'])('%j is refused', (text) => expect(decodeBase64Url(text)).toBeUndefined())
  it('takes what RFC 7515 writes', () => expect(decodeBase64Url('Zm9v')?.toString()).toBe('foo'))
})

describe('signatures', () => {
  it('of the key are good, of another bad', () => {
    expect(verdict(token(), jwks)).toBeUndefined()
    expect(verdict(tampered(token()), jwks)).toBe(PROBLEM.verification)
  })

  it('CVE-2016-10555, CVE-2022-23540: an HMAC made of the public key is no signature; none is no algorithm', () => {
    expect(verdict(token({}, { alg: 'HS256' }), jwks)).toBe(PROBLEM.noKeyFits)
    const noAlg = JSON.stringify({ keys: [{ ...jwk, alg: undefined }] })
    expect(verdict(token({}, { alg: 'HS256' }), noAlg)).toBe(PROBLEM.verification)
    for (const alg of ['none', 'None', 'NONE', '']) expect(verdict(token({}, { alg }), jwks)).toBe(PROBLEM.headerAlgUnknown)
    expect(verdict(`${encoded({ alg: 'none' })}.${encoded({ iss: 'x' })}.`, jwks)).toBe(PROBLEM.badFormat)
  })

  it('CVE-2018-0114: a key that the token brings along is not looked at', () => {
    const other = createTestIssuer()
    expect(verdict(other.token({}, { jwk: other.jwk }), jwks)).toBe(PROBLEM.verification)
  })

  it('kid is compared exactly; a token without one is tried under each key', () => {
    expect(verdict(token({}, { kid: 'K1' }), jwks)).toBe(PROBLEM.noKeyFits)
    expect(verdict(token({}, { kid: undefined }), jwks)).toBeUndefined()
  })

  it.each(['RS256', 'RS512', 'PS256', 'PS384', 'EdDSA'])('%s', (alg) => {
    const { privateKey, publicKey } =
      alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 })
    const text = `${encoded({ alg })}.${encoded({})}`
    const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`
    const padding = alg.startsWith('PS') ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {}
    const signature = sign(hash, Buffer.from(text), { key: privateKey, ...padding }).toString('base64url')
    const keys = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] })
    expect(verdict(`${text}.${signature}`, keys)).toBeUndefined()
    expect(verdict(`${text}x.${signature}`, keys)).toBeDefined()
  })
})

describe('key sets', () => {
  it('keys for another use, of unknown kinds and against their algorithm are left out', () => {
    const count = (...keys: object[]): number | undefined => parseJwks(JSON.stringify({ keys }))?.length
    expect(count(jwk)).toBe(1)
    expect(count({ ...jwk, use: 'enc' }, { ...jwk, key_ops: ['sign'] }, { ...jwk, kty: 'XX' }, { ...jwk, x: '!' })).toBe(0)
    expect(count({ ...jwk, alg: 'ES384' }, { ...jwk, alg: 'RS256' }, { kty: 'oct', k: '' })).toBe(0)
    expect(count({ kty: 'oct', k: 'AAAA', alg: 'HS256' }, { ...jwk, alg: 'ES521' })).toBe(2)
  })

  it.each(['', 'x', '[]', '{}', '{"keys":1}', '{"a":"b"}'])('%j is none', (text) => expect(parseJwks(text)).toBeUndefined())
})

describe('claims', () => {
  it('ISTIO-SECURITY-2021-008: aud is a text or a list of texts, iss one text', () => {
    const audiences = (aud: unknown): unknown => {
      const jwt = parseJwt(token({ aud }))
      return isProblem(jwt) ? jwt : jwt.audiences
    }
    expect([audiences('a'), audiences(['a', 'b']), audiences(['a', 1])]).toEqual([['a'], ['a', 'b'], PROBLEM.aud])
    expect(parseJwt(token({ iss: ['https://iss.example'] }))).toBe(PROBLEM.iss)
  })

  it.each([
    [{ iss: ['a'] }, PROBLEM.iss],
    [{ sub: 1 }, PROBLEM.sub],
    [{ exp: '1' }, PROBLEM.exp],
    [{ exp: -1 }, PROBLEM.expRange],
    [{ nbf: true }, PROBLEM.nbf],
    [{ iat: 1e30 }, PROBLEM.iatRange],
    [{ aud: [1] }, PROBLEM.aud],
    [{ jti: 1 }, PROBLEM.jti],
  ])('%j', (claims, problem) => expect(parseJwt(token(claims))).toBe(problem))

  it('malformed tokens are problems, never exceptions', () => {
    const deep = '['.repeat(200) + ']'.repeat(200)
    const bad = Buffer.from(`{"alg":"ES256","x":${deep}}`).toString('base64url')
    expect(parseJwt(`${bad}.e30.AA`)).toBe(PROBLEM.headerJson)
    for (const text of ['', '.', '..', 'a.b', 'a.b.c', 'e30.e30.AA', `${encoded({ alg: 'ES256' })}..AA`, 'a.b.c.d'])
      expect(isProblem(parseJwt(text))).toBe(true)
  })
})
