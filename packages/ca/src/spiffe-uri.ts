import { fail, ok, problem, type Result } from '@heddle/runtime'

/** Any SPIFFE ID: a workload's of any path, or a trust domain's, whose path is empty. */
export interface SpiffeUri {
  readonly trustDomain: string
  /** `/ns/shop/sa/cart`, or empty. */
  readonly path: string
}

// SPIFFE-ID §2.1: letters are lower case; §2.2: segments are not empty and no dots only; §2.3: 255 bytes, 2048 in all.
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const SEGMENT = /^[a-zA-Z0-9._-]+$/
const MAX_BYTES = 2048

/** Reads a SPIFFE ID by the letter of its specification; code `spiffe.invalid_id`. `parseSpiffeId` of the runtime reads Istio's workload identities only. */
export function readSpiffeUri(uri: string): Result<SpiffeUri> {
  const refuse = (why: string): Result<SpiffeUri> =>
    fail(problem('spiffe.invalid_id', '', `${JSON.stringify(uri.slice(0, 200))} is no SPIFFE ID: ${why}`))
  if (uri.length > MAX_BYTES) return refuse(`longer than ${MAX_BYTES} bytes`)
  if (!uri.startsWith('spiffe://')) return refuse('it does not start with spiffe://')
  const rest = uri.slice('spiffe://'.length)
  const slash = rest.indexOf('/')
  const [trustDomain, path] = slash < 0 ? [rest, ''] : [rest.slice(0, slash), rest.slice(slash)]
  if (!isTrustDomain(trustDomain)) return refuse('its trust domain is empty or has characters other than a-z, 0-9, ".", "-", "_"')
  for (const segment of path === '' ? [] : path.slice(1).split('/'))
    if (!SEGMENT.test(segment) || segment === '.' || segment === '..')
      return refuse('a path segment is empty, dots, or has characters other than a-z, A-Z, 0-9, ".", "-", "_"')
  return ok({ trustDomain, path })
}

export function isTrustDomain(name: string): boolean {
  return TRUST_DOMAIN.test(name)
}
