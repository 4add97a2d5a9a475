/** Why a token is refused. `text` is what the caller is told, `code` what failed_status_in_metadata says: both are Envoy's. */
export interface JwtProblem {
  readonly code: number
  readonly text: string
}

const problem = (code: number, text: string): JwtProblem => ({ code, text })

type ProblemName =
  | 'missing'
  | 'notYetValid'
  | 'expired'
  | 'badFormat'
  | 'headerBase64'
  | 'headerJson'
  | 'headerAlg'
  | 'headerAlgUnknown'
  | 'headerKid'
  | 'payloadBase64'
  | 'payloadJson'
  | 'iss'
  | 'sub'
  | 'iat'
  | 'iatRange'
  | 'nbf'
  | 'nbfRange'
  | 'exp'
  | 'expRange'
  | 'jti'
  | 'aud'
  | 'signatureBase64'
  | 'ed25519Length'
  | 'unknownIssuer'
  | 'audience'
  | 'verification'
  | 'noKeys'
  | 'noKeyFits'
  | 'fetch'

export const PROBLEM: Readonly<Record<ProblemName, JwtProblem>> = {
  missing: problem(1, 'Jwt is missing'),
  notYetValid: problem(2, 'Jwt not yet valid'),
  expired: problem(3, 'Jwt is expired'),
  badFormat: problem(4, 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections'),
  headerBase64: problem(5, 'Jwt header is an invalid Base64url encoded'),
  headerJson: problem(6, 'Jwt header is an invalid JSON'),
  headerAlg: problem(7, 'Jwt header [alg] field is required and must be a string'),
  headerAlgUnknown: problem(8, 'Jwt header [alg] is not supported'),
  headerKid: problem(9, 'Jwt header [kid] field is not a string'),
  payloadBase64: problem(10, 'Jwt payload is an invalid Base64url encoded'),
  payloadJson: problem(11, 'Jwt payload is an invalid JSON'),
  iss: problem(12, 'Jwt payload [iss] field is not a string'),
  sub: problem(13, 'Jwt payload [sub] field is not a string'),
  iat: problem(14, 'Jwt payload [iat] field is not an integer'),
  iatRange: problem(15, 'Jwt payload [iat] field is not a positive 64 bit integer'),
  nbf: problem(16, 'Jwt payload [nbf] field is not an integer'),
  nbfRange: problem(17, 'Jwt payload [nbf] field is not a positive 64 bit integer'),
  exp: problem(18, 'Jwt payload [exp] field is not an integer'),
  expRange: problem(19, 'Jwt payload [exp] field is not a positive 64 bit integer'),
  jti: problem(20, 'Jwt payload [jti] field is not a string'),
  aud: problem(21, 'Jwt payload [aud] field is not a string or string list'),
  signatureBase64: problem(22, 'Jwt signature is an invalid Base64url encoded'),
  ed25519Length: problem(23, 'Jwt ED25519 signature is wrong length'),
  unknownIssuer: problem(24, 'Jwt issuer is not configured'),
  audience: problem(25, 'Audiences in Jwt are not allowed'),
  verification: problem(26, 'Jwt verification fails'),
  noKeys: problem(31, "Jwks doesn't have any valid public key"),
  noKeyFits: problem(32, "Jwks doesn't have key to match kid or alg from Jwt"),
  fetch: problem(39, 'Jwks remote fetch is failed'),
}

export function isProblem(value: object): value is JwtProblem {
  return 'code' in value && 'text' in value
}
