import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto'
import { type Clock, fail, ok, problem, type Result } from '@heddle/runtime'
import { createLocalJWKSet, errors, exportJWK, type JSONWebKeySet, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { createKey } from './keys.js'
import { readSpiffeUri } from './spiffe-uri.js'
import type { TrustBundles } from './trust-bundle.js'

/** JWT-SVID §2.1: no secrets, no `none`, no Ed25519. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']
const HEADERS: ReadonlySet<string> = new Set(['alg', 'kid', 'typ'])
const LONGEST_TOKEN = 16 * 1024

export interface JwtSvidIssuerOptions {
  readonly clock: Clock
  /** P-256; default a new one, gone with the process. */
  readonly key?: KeyObject
  /** Default 5 min: a token can be used by whoever sees it. */
  readonly ttlMs?: number
}

/** Signs JWT-SVIDs. */
export interface JwtSvidIssuer {
  /** For `TrustBundle.jwtAuthorities`. */
  readonly jwtAuthorities: readonly Readonly<Record<string, unknown>>[]
  /** @param audience one is best: whoever gets the token can use it with all of them. */
  issue(spiffeId: string, audience: readonly string[]): Promise<string>
}

export async function createJwtSvidIssuer({ clock, key, ttlMs = 300_000 }: JwtSvidIssuerOptions): Promise<JwtSvidIssuer> {
  const signing = key ?? (await createKey('P-256'))
  const kid = randomUUID()
  return {
    jwtAuthorities: [{ ...(await exportJWK(createPublicKey(signing))), kid, use: 'jwt-svid' }],
    issue(spiffeId, audience) {
      const now = Math.floor(clock.now() / 1000)
      return new SignJWT({})
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
        .setSubject(spiffeId)
        .setAudience([...audience])
        .setIssuedAt(now)
        .setExpirationTime(now + Math.ceil(ttlMs / 1000))
        .sign(signing)
    },
  }
}

/** What a token has proved. */
export interface VerifiedJwtSvid {
  readonly spiffeId: string
  readonly claims: Readonly<JWTPayload>
}

/** Checks a JWT-SVID for one audience, by the keys of its subject's own trust domain. Code `ca.jwt_svid`. */
export async function verifyJwtSvid(
  token: string,
  audience: string,
  bundles: TrustBundles,
  { now }: { readonly now: number },
): Promise<Result<VerifiedJwtSvid>> {
  const refuse = (why: string): Result<VerifiedJwtSvid> => fail(problem('ca.jwt_svid', '', `the token is refused: ${why}`))
  if (token.length > LONGEST_TOKEN) return refuse('it is too long')
  const subject = subjectOf(token)
  const id = readSpiffeUri(subject ?? '')
  if (subject === undefined || !id.ok || id.value.path === '') return refuse('its subject is no SPIFFE ID of a workload')
  const keys = bundles.get(id.value.trustDomain)?.jwtAuthorities ?? []
  if (keys.length === 0) return refuse(`no key of the trust domain ${id.value.trustDomain} is known`)
  // jose takes a key for signing only by use "sig"; the bundle's use has said what the keys are for.
  const set = { keys: keys.map(({ use: _, ...key }) => key) } as unknown as JSONWebKeySet
  try {
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(set), {
      algorithms: ALGORITHMS,
      audience,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'sub', 'aud'],
    })
    const odd = Object.keys(protectedHeader).find((name) => !HEADERS.has(name))
    if (odd !== undefined) return refuse(`its header has ${odd}, which a JWT-SVID must not have`)
    const { typ } = protectedHeader
    if (typ !== undefined && typ !== 'JWT' && typ !== 'JOSE') return refuse(`its type is ${typ}, not JWT or JOSE`)
    return ok({ spiffeId: subject, claims: payload })
  } catch (error) {
    return refuse(error instanceof errors.JOSEError ? error.message : 'it cannot be checked')
  }
}

/** Unproved: it only chooses the keys. */
function subjectOf(token: string): string | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    const { sub } = payload as { sub?: unknown }
    return typeof sub === 'string' ? sub : undefined
  } catch {
    return undefined
  }
}
