import { type Jws, parseJws, parseObject } from './jws.js'
import { isProblem, type JwtProblem, PROBLEM } from './problems.js'

/** A JWT (RFC 7519) whose claims have the right types; its signature is not verified yet. */
export interface Jwt extends Jws {
  readonly claims: Readonly<Record<string, unknown>>
  readonly issuer: string
  readonly subject: string
  readonly audiences: readonly string[]
  /** Seconds since 1970; 0: not said. */
  readonly notBefore: number
  readonly expires: number
}

export function parseJwt(text: string): Jwt | JwtProblem {
  const jws = parseJws(text)
  if (isProblem(jws)) return jws
  if (jws.encodedPayload === '') return PROBLEM.badFormat
  const claims = parseObject(jws.payload)
  if (claims === undefined) return PROBLEM.payloadJson
  const { iss = '', sub = '', jti = '', aud = [] } = claims
  if (typeof iss !== 'string') return PROBLEM.iss
  if (typeof sub !== 'string') return PROBLEM.sub
  const issuedAt = seconds(claims['iat'], PROBLEM.iat, PROBLEM.iatRange)
  if (typeof issuedAt !== 'number') return issuedAt
  const notBefore = seconds(claims['nbf'], PROBLEM.nbf, PROBLEM.nbfRange)
  if (typeof notBefore !== 'number') return notBefore
  const expires = seconds(claims['exp'], PROBLEM.exp, PROBLEM.expRange)
  if (typeof expires !== 'number') return expires
  if (typeof jti !== 'string') return PROBLEM.jti
  const audiences = typeof aud === 'string' ? [aud] : aud
  if (!isStrings(audiences)) return PROBLEM.aud
  return { ...jws, claims, issuer: iss, subject: sub, audiences, notBefore, expires }
}

function seconds(value: unknown, wrong: JwtProblem, outside: JwtProblem): number | JwtProblem {
  if (value === undefined) return 0
  if (typeof value !== 'number') return wrong
  return value >= 0 && value < 2 ** 63 ? Math.trunc(value) : outside
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
