import type { MetadataMatcher, StringMatcher, ValueMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'

/** What JWT authentication leaves in the metadata of a request. */

const JWT_FILTER = 'envoy.filters.http.jwt_authn'
const ROUTING_PREFIX = '@request.auth.claims'

export const ANYTHING: StringMatcher = { safe_regex: { regex: '.+' } }

/** A value of the token's payload. */
export function payloadMatcher(path: readonly string[], value: ValueMatcher): MetadataMatcher {
  return { filter: JWT_FILTER, path: ['payload', ...path].map((key) => ({ key })), value }
}

/** A claim that is the value, or a list that has it. */
export function jwtClaimMatcher(path: readonly string[], value: ValueMatcher): MetadataMatcher {
  return payloadMatcher(path, { or_match: { value_matchers: [{ list_match: { one_of: value } }, value] } })
}

/** `@request.auth.claims.a.b` or `@request.auth.claims[a][b]` -> a, b; undefined for the name of a header. */
export function routingClaim(name: string): readonly string[] | undefined {
  if (!name.toLowerCase().startsWith(ROUTING_PREFIX)) return undefined
  const path = name.slice(ROUTING_PREFIX.length)
  if (path.startsWith('.')) return path.slice(1).split('.')
  return bracketPath(path)
}

/** `[a][b]` -> a, b; undefined when it is something else. */
export function bracketPath(text: string): string[] | undefined {
  return /^(\[[^[\]]+\])+$/.test(text) ? text.slice(1, -1).split('][') : undefined
}
