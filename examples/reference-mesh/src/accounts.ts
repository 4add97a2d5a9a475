import { generateKeyPairSync, sign } from 'node:crypto'

/** Somebody outside the mesh who signs tokens for its users. */
export interface Accounts {
  readonly issuer: string
  /** What proves the tokens: a JWKS as JSON. */
  readonly jwks: string
  /** A JWT; `seconds` from now until it expires, negative for one that has expired. */
  token(user: string, seconds: number): string
}

export function createAccounts(issuer: string): Accounts {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    issuer,
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'accounts', alg: 'ES256' }] }),
    token(user, seconds) {
      const exp = Math.floor(Date.now() / 1000) + seconds
      const text = `${encoded({ alg: 'ES256', kid: 'accounts' })}.${encoded({ iss: issuer, sub: user, exp })}`
      return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },
  }
}
