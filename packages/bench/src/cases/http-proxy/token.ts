import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A token that is good for years, and who believes it. */
export interface BenchToken {
  readonly jwks: string
  /** The whole header. */
  readonly authorization: string
  readonly issuer: string
  readonly audience: string
}

const [ISSUER, AUDIENCE] = ['https://issuer.example', 'bench']
let made: BenchToken | undefined

/** ES256, about 350 bytes as those of real meshes; the same one for every contender of a run. */
export function benchToken(): BenchToken {
  made ??= make()
  return made
}

function make(): BenchToken {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const claims = { iss: ISSUER, sub: 'alice', aud: AUDIENCE, exp: 4_102_444_800, groups: ['cart', 'checkout'] }
  const signed = `${encode({ alg: 'ES256', kid: 'bench', typ: 'JWT' })}.${encode(claims)}`
  const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256' }] })
  return { jwks, authorization: `Bearer ${signed}.${signatureOf(signed, privateKey)}`, issuer: ISSUER, audience: AUDIENCE }
}

function signatureOf(text: string, key: KeyObject): string {
  return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
