import { createPublicKey, randomUUID } from 'node:crypto'
import type { Clock, SpiffeId } from '@heddle/runtime'
import { exportJWK, type JSONWebKeySet, SignJWT } from 'jose'
import { createKey } from '../keys.js'

export interface TokenIssuerOptions {
  readonly clock: Clock
  readonly issuer: string
  readonly audience: string
}

/** Signs tokens as a Kubernetes API server signs those of service accounts: for meshes without one, and for tests. */
export interface TokenIssuer {
  /** The public side, for {@link createJwtAuthenticator}. */
  readonly jwks: JSONWebKeySet
  /** @param ttlMs default one hour. */
  issue(workload: Pick<SpiffeId, 'namespace' | 'serviceAccount'>, ttlMs?: number): Promise<string>
}

export async function createTokenIssuer({ clock, issuer, audience }: TokenIssuerOptions): Promise<TokenIssuer> {
  const key = await createKey('P-256')
  const kid = randomUUID()
  const jwks: JSONWebKeySet = { keys: [{ ...(await exportJWK(createPublicKey(key))), kid, alg: 'ES256', use: 'sig' }] }
  return {
    jwks,
    issue({ namespace, serviceAccount }, ttlMs = 3_600_000) {
      const now = Math.floor(clock.now() / 1000)
      return new SignJWT({ 'kubernetes.io': { namespace, serviceaccount: { name: serviceAccount } } })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(`system:serviceaccount:${namespace}:${serviceAccount}`)
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + Math.floor(ttlMs / 1000))
        .sign(key)
    },
  }
}
