import { createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** Helpers of tests: an issuer with one key. */
export interface TestIssuer {
  readonly issuer: string
  readonly jwk: Readonly<Record<string, unknown>>
  readonly jwks: string
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string
}

export function createTestIssuer(issuer = 'https://iss.example', kid = 'k1'): TestIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256' }
  return {
    issuer,
    jwk,
    jwks: JSON.stringify({ keys: [jwk] }),
    token: (claims = {}, header = {}) =>
      signedToken(privateKey, { iss: issuer, sub: 'ann', ...claims }, { alg: 'ES256', kid, ...header }),
  }
}

function signedToken(key: KeyObject, claims: object, header: object): string {
  const text = `${encoded(header)}.${encoded(claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

export const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The same token with another signature. */
export function tampered(token: string): string {
  const [header, payload] = token.split('.')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const text = `${header}.${payload}`
  return `${text}.${createSign('sha256').update(text).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
