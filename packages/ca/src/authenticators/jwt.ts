import { type Clock, formatSpiffeId, ok, parseSpiffeId } from '@heddle/runtime'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { type Authenticator, bearerToken, refused } from './authenticator.js'

export interface JwtAuthenticatorOptions {
  readonly clock: Clock
  /** Asked for on every call, so that keys can rotate. */
  readonly jwks: () => JSONWebKeySet | Promise<JSONWebKeySet>
  /** `iss` must be equal. */
  readonly issuer: string
  /** One of them must be in `aud`. Istio's is `istio-ca`. */
  readonly audiences: readonly string[]
  readonly trustDomain: string
  /** Seconds that clocks may differ; default 60. */
  readonly clockToleranceSeconds?: number
  /** From the claims of a verified token. Default {@link identityOfClaims}. */
  readonly identityOf?: (claims: JWTPayload, trustDomain: string) => string | undefined
}

/** Asymmetric only: a shared secret or `none` never proves who somebody is. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const LONGEST_TOKEN = 16 * 1024
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

/**
 * Kubernetes' service account tokens: claim `kubernetes.io` with namespace and serviceaccount.name, else the subject
 * `system:serviceaccount:<namespace>:<name>`; or a subject that is a SPIFFE ID of the trust domain (JWT-SVID §3.1).
 */
export function identityOfClaims(claims: JWTPayload, trustDomain: string): string | undefined {
  const { sub = '' } = claims
  const kubernetes = claims['kubernetes.io'] as { namespace?: unknown; serviceaccount?: { name?: unknown } } | undefined
  const match = SERVICE_ACCOUNT.exec(sub)
  const namespace = kubernetes?.namespace ?? match?.[1]
  const serviceAccount = kubernetes?.serviceaccount?.name ?? match?.[2]
  const uri =
    typeof namespace === 'string' && typeof serviceAccount === 'string'
      ? formatSpiffeId({ trustDomain, namespace, serviceAccount })
      : sub
  const id = parseSpiffeId(uri)
  return id.ok && id.value.trustDomain === trustDomain ? uri : undefined
}

/** A bearer token signed by a key of the set, for one of the audiences, not expired. Keys named inside the token (`jwk`, `jku`, `x5u`) are never looked at. */
export function createJwtAuthenticator(options: JwtAuthenticatorOptions): Authenticator {
  const { clock, jwks, issuer, audiences, trustDomain, clockToleranceSeconds = 60, identityOf = identityOfClaims } = options
  return async (peer) => {
    const token = bearerToken(peer)
    if (token === undefined) return refused('no bearer token')
    if (token.length > LONGEST_TOKEN) return refused('the token is too long')
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(await jwks()), {
        algorithms: ALGORITHMS,
        issuer,
        audience: [...audiences],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp', 'sub'],
      })
      const identity = identityOf(payload, trustDomain)
      return identity === undefined
        ? refused(`the token's subject ${JSON.stringify(payload.sub)} is no workload of ${trustDomain}`)
        : ok({ identities: [identity], method: 'jwt' })
    } catch (error) {
      if (error instanceof errors.JOSEError) return refused(`the token is refused: ${error.message}`)
      return refused(`the token cannot be checked: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
