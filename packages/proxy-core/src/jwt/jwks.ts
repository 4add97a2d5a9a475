import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject, X509Certificate } from 'node:crypto'
import { ALGORITHMS, type JwsAlgorithm } from './algorithms.js'
import { decodeBase64Url } from './base64url.js'
import type { Jws } from './jws.js'
import { type JwtProblem, PROBLEM } from './problems.js'

/** One key of a key set (RFC 7517). */
export interface VerificationKey {
  /** Empty: it fits any token. */
  readonly kid: string
  /** The only algorithm that it may be used with; empty: any that its kind allows. */
  readonly alg: string
  readonly kty: string
  readonly crv: string
  readonly key: KeyObject
}

type Json = Readonly<Record<string, unknown>>

/**
 * The keys of a JWKS, or of a map from key id to PEM certificate. Keys that cannot verify (another use, an unknown kind, wrong
 * numbers) are left out. Undefined: it is no such document.
 */
export function parseJwks(text: string): readonly VerificationKey[] | undefined {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined
  const { keys } = document as Json
  if (keys === undefined) return certificates(document as Json)
  if (!Array.isArray(keys)) return undefined
  return keys.flatMap((jwk: unknown) => (typeof jwk === 'object' && jwk !== null ? keyOf(jwk as Json) : []))
}

function keyOf(jwk: Json): VerificationKey[] {
  const { kty, use, key_ops: operations } = jwk
  if (typeof kty !== 'string') return []
  if (use !== undefined && use !== 'sig') return []
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return []
  const alg = typeof jwk['alg'] === 'string' ? jwk['alg'] : ''
  const algorithm = ALGORITHMS.get(alg)
  const crv = typeof jwk['crv'] === 'string' ? jwk['crv'] : ''
  if (algorithm !== undefined && (algorithm.kty !== kty || (algorithm.crv ?? crv) !== crv)) return []
  // A curve has one algorithm; any other name for it ("ES521") says nothing.
  if (alg !== '' && algorithm === undefined && kty !== 'EC') return []
  const key = materialOf(kty, jwk)
  const kid = typeof jwk['kid'] === 'string' ? jwk['kid'] : ''
  return key === undefined ? [] : [{ kid, alg: algorithm === undefined ? '' : alg, kty, crv, key }]
}

function materialOf(kty: string, jwk: Json): KeyObject | undefined {
  try {
    if (kty !== 'oct') return createPublicKey({ key: publicPart(jwk), format: 'jwk' })
    const secret = typeof jwk['k'] === 'string' ? decodeBase64Url(jwk['k']) : undefined
    return secret === undefined || secret.length === 0 ? undefined : createSecretKey(secret)
  } catch {
    return undefined
  }
}

function publicPart({ kty, crv, n, e, x, y }: Json): JsonWebKey {
  return Object.fromEntries(Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => value !== undefined))
}

function certificates(document: Json): readonly VerificationKey[] | undefined {
  const entries = Object.entries(document)
  if (entries.length === 0) return undefined
  const keys: VerificationKey[] = []
  for (const [kid, pem] of entries) {
    if (typeof pem !== 'string' || !pem.startsWith('-----BEGIN CERTIFICATE-----')) return undefined
    try {
      const key = new X509Certificate(pem).publicKey
      if (key.asymmetricKeyType === 'rsa') keys.push({ kid, alg: '', kty: 'RSA', crv: '', key })
    } catch {
      return undefined
    }
  }
  return keys
}

/** Undefined: one of the keys has signed it. A key is asked when its id and its algorithm fit; ids are compared exactly. */
export function verifySignature(jws: Jws, keys: readonly VerificationKey[]): JwtProblem | undefined {
  const algorithm = ALGORITHMS.get(jws.alg)
  if (algorithm === undefined) return PROBLEM.headerAlgUnknown
  if (keys.length === 0) return PROBLEM.noKeys
  let asked = false
  for (const { kid, alg, kty, crv, key } of keys) {
    if (jws.kid !== '' && kid !== '' && kid !== jws.kid) continue
    if (alg !== '' && alg !== jws.alg) continue
    asked = true
    if (kty !== algorithm.kty || (algorithm.crv !== undefined && algorithm.crv !== crv)) continue
    if (jws.alg === 'EdDSA' && jws.signature.length !== 64) return PROBLEM.ed25519Length
    if (verifies(algorithm, key, jws)) return undefined
  }
  return asked ? PROBLEM.verification : PROBLEM.noKeyFits
}

/** A key that cannot be used with its algorithm (too short for it) has signed nothing. */
function verifies({ verify }: JwsAlgorithm, key: KeyObject, { signed, signature }: Jws): boolean {
  try {
    return verify(key, signed, signature)
  } catch {
    return false
  }
}
