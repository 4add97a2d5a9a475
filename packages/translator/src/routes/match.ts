import type { HTTPMatchRequest, StringMatch } from '@heddle/config-model'
import { createSideTable, type SideTable } from '@heddle/runtime'
import type { HeaderMatcher, QueryParameterMatcher, RouteMatch } from '@heddle/xds-types/envoy/config/route/v3'
import type { MetadataMatcher, StringMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import { ANYTHING, jwtClaimMatcher, routingClaim } from '../security/jwt-claims.js'
import type { RouteSemantics } from '../semantics.js'

/** Every request: what a rule without a match block means. It has no `case_sensitive`; a match block always has. */
export const EVERY_PATH: RouteMatch = { prefix: '/' }

export function routeMatch(match: HTTPMatchRequest | undefined, semantics: RouteSemantics = 'istio'): RouteMatch {
  if (match === undefined) return EVERY_PATH
  const known = made.of(match)
  if (known?.semantics === semantics) return known.match
  const fresh = matchOf(match, semantics)
  made.set(match, { semantics, match: fresh })
  return fresh
}

// A rule is translated for each gateway, port and namespace.
const made: SideTable<{ readonly semantics: RouteSemantics; readonly match: RouteMatch }> = createSideTable()

function matchOf(match: HTTPMatchRequest, semantics: RouteSemantics): RouteMatch {
  const { headers: given, withoutHeaders, queryParams, method, authority, scheme } = match
  // Most match a path only.
  if ((given ?? withoutHeaders ?? queryParams ?? method ?? authority ?? scheme) === undefined) {
    const path = pathOf(match.uri, semantics)
    path.case_sensitive = match.ignoreUriCase !== true
    return path
  }
  const { claims: with_, others } = claimsAndHeaders(given)
  const { claims: without, others: othersWithout } = claimsAndHeaders(withoutHeaders)
  const headers = [...named(others, headerMatcher), ...named(othersWithout, withoutHeader)].sort((a, b) =>
    nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0,
  )
  const dynamic_metadata = [...with_.map(claimMatcher), ...without.map((claim) => ({ ...claimMatcher(claim), invert: true }))]
  if (method !== undefined) headers.push(headerMatcher(':method', method))
  if (authority !== undefined) headers.push(headerMatcher(':authority', authority))
  if (scheme !== undefined) headers.push(headerMatcher(':scheme', scheme))
  const query = named(queryParams, queryMatcher).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  return {
    ...pathOf(match.uri, semantics),
    case_sensitive: match.ignoreUriCase !== true,
    ...(headers.length === 0 ? {} : { headers }),
    ...(query.length === 0 ? {} : { query_parameters: query }),
    ...(dynamic_metadata.length === 0 ? {} : { dynamic_metadata }),
  }
}

type Matches = Readonly<Record<string, StringMatch | undefined>>
type Claim = readonly [path: readonly string[], match: StringMatch | undefined]

/** `@request.auth.claims.group` is no header: it means a claim of the token that JWT authentication took. */
function claimsAndHeaders(matches: Matches | undefined): { claims: Claim[]; others: Matches } {
  const claims: Claim[] = []
  const others: Record<string, StringMatch | undefined> = {}
  for (const [name, match] of Object.entries(matches ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = routingClaim(name)
    if (path === undefined) others[name] = match
    else claims.push([path, match])
  }
  return { claims, others }
}

function claimMatcher([path, match]: Claim): MetadataMatcher {
  return jwtClaimMatcher(path, { string_match: isPresence(match) ? ANYTHING : stringMatcher(match) })
}

/** Every path, by prefix or by regex, and nothing else but case: no later rule can be reached. */
export function isCatchAll(match: RouteMatch): boolean {
  const path = match.prefix === '/' || match.path_separated_prefix === '/' || match.safe_regex?.regex === '.*'
  return (
    path &&
    (match.headers ?? []).length === 0 &&
    (match.query_parameters ?? []).length === 0 &&
    (match.dynamic_metadata ?? []).length === 0
  )
}

/** Regular expressions are RE2 and match the whole value. */
export function stringMatcher(match: StringMatch): StringMatcher {
  if ('exact' in match) return { exact: match.exact }
  return 'prefix' in match ? { prefix: match.prefix } : { safe_regex: { regex: match.regex } }
}

function pathOf(uri: StringMatch | undefined, semantics: RouteSemantics): RouteMatch {
  if (uri === undefined) return { prefix: '/' }
  if ('exact' in uri) return { path: uri.exact }
  if (!('prefix' in uri)) return { safe_regex: { regex: uri.regex } }
  // The prefix /a of Gateway API and Ingress takes /a and /a/b, but not /ab.
  const whole = semantics === 'istio' || uri.prefix === '/'
  return whole ? { prefix: uri.prefix } : { path_separated_prefix: uri.prefix.replace(/\/$/, '') }
}

function headerMatcher(name: string, match: StringMatch | undefined): HeaderMatcher {
  return isPresence(match) ? { name, present_match: true } : { name, string_match: stringMatcher(match) }
}

// A header that is not there must count as "not this value", but "not present" has no empty value.
function withoutHeader(name: string, match: StringMatch | undefined): HeaderMatcher {
  return {
    ...headerMatcher(name, match),
    invert_match: true,
    ...(isPresence(match) ? {} : { treat_missing_header_as_empty: true }),
  }
}

function queryMatcher(name: string, match: StringMatch | undefined): QueryParameterMatcher {
  return isPresence(match) ? { name, present_match: true } : { name, string_match: stringMatcher(match) }
}

/** No matcher, or the regex `*`, which is not RE2 but an old way to say "any". */
function isPresence(match: StringMatch | undefined): match is undefined {
  return match === undefined || ('regex' in match && match.regex === '*')
}

function named<T>(matches: Matches | undefined, make: (name: string, match: StringMatch | undefined) => T): T[] {
  return Object.entries(matches ?? {}).map(([name, match]) => make(name, match))
}

function nameOf(matcher: { readonly name?: string | undefined }): string {
  return matcher.name ?? ''
}
