import { fail, formatSpiffeId, ok, parseSpiffeId, problem, type Result, type SpiffeId } from '@heddle/runtime'
import type { Caller } from './authenticators/authenticator.js'
import type { SubjectAltName } from './extensions.js'

const HOUR = 3_600_000

/** What a certificate may say: decided by who the caller has proved to be, never by what its request asks for. */
export interface Grant {
  readonly names: readonly SubjectAltName[]
  /** Asked-for lifetime in milliseconds; undefined takes the authority's default. */
  readonly ttlMs?: number
}

/** Who gets which certificate. */
export interface GrantPolicy {
  /** Callers of other trust domains get nothing. */
  readonly trustDomain: string
  /** Default 90 days; a longer wish is refused, not cut, so that nobody plans with a lifetime they did not get. */
  readonly maxTtlMs?: number
}

export const DEFAULT_TTL_MS: number = 24 * HOUR
export const MAX_TTL_MS: number = 90 * 24 * HOUR

/** A workload's own identity, one URI and nothing else (X509-SVID §2). */
export function workloadGrant(id: SpiffeId, ttlMs?: number): Grant {
  return { names: [{ uri: formatSpiffeId(id) }], ...(ttlMs === undefined ? {} : { ttlMs }) }
}

/**
 * The grant for a caller that has been authenticated.
 * @param ttlMs what it asks for; 0 or undefined leaves it to the authority.
 */
export function grantFor(
  caller: Caller,
  ttlMs: number | undefined,
  { trustDomain, maxTtlMs = MAX_TTL_MS }: GrantPolicy,
): Result<Grant> {
  const [identity, ...others] = caller.identities
  if (identity === undefined || others.length > 0)
    return fail(
      problem('ca.denied', '', `the caller has ${caller.identities.length} identities; a certificate is for exactly one`),
    )
  const id = parseSpiffeId(identity)
  if (!id.ok) return id
  if (id.value.trustDomain !== trustDomain)
    return fail(problem('ca.denied', '', `${identity} is not of the trust domain ${trustDomain}`))
  if (ttlMs !== undefined && (!Number.isFinite(ttlMs) || ttlMs < 0 || ttlMs > maxTtlMs)) {
    return fail(
      problem(
        'ca.ttl',
        'validity_duration',
        `a lifetime of ${ttlMs / 1000} s is asked for; at most ${maxTtlMs / 1000} s is given`,
      ),
    )
  }
  return ok(workloadGrant(id.value, ttlMs === 0 ? undefined : ttlMs))
}
