import { fail, ok, problem, type Result } from '@heddle/runtime'
import { parseJwks, verifySignature } from './jwks.js'
import { parseJws } from './jws.js'
import { isProblem, type JwtProblem } from './problems.js'

/**
 * The payload of a JSON web signature (RFC 7515, compact) that one of the keys of a JWKS has made; as jwt_authn judges, but claims
 * are not looked at. Fails with `jws.refused` and Envoy's words for why.
 */
export function verifyJws(text: string, jwks: string): Result<Uint8Array> {
  const jws = parseJws(text)
  if (isProblem(jws)) return refused(jws)
  const wrong = verifySignature(jws, parseJwks(jwks) ?? [])
  return wrong === undefined ? ok(jws.payload) : refused(wrong)
}

function refused({ text }: JwtProblem): Result<Uint8Array> {
  return fail(problem('jws.refused', '', text))
}
