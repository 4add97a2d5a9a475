import type { JWTRule, MeshService } from '@heddle/config-model'
import type { JwtProvider, JwtRequirement, RemoteJwks } from '@heddle/xds-types/envoy/extensions/filters/http/jwt_authn/v3'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { defined, duration, typed } from '../message.js'
import { outboundCluster } from '../names.js'
import { lookupService } from '../service-lookup.js'
import { REHEARSAL } from './dry-run.js'
import { jwtRulesFor, rehearsedJwtRules } from './request-authentications.js'

/** What is split at spaces always: scopes of OAuth, and what others call them. */
const SPACE_DELIMITED = ['permission', 'scope']

/**
 * The filter of a workload's JWT rules. A token must satisfy its provider; a request without one passes, AuthorizationPolicies decide about it.
 * With several providers a request also passes when one of them takes its token, because they may read the same header.
 */
export function jwtFilters(build: Build, service?: MeshService): HttpFilter[] {
  return [...rehearsal(build, service), ...enforced(build, service)]
}

/** Before the filter that may take tokens out: every token is tried under all rules, and none is refused. */
function rehearsal(build: Build, service: MeshService | undefined): HttpFilter[] {
  const rules = rehearsedJwtRules(build, service)
  if (rules.length === 0) return []
  const named = rules.map(([name, rule]) => {
    const { issuer, audiences, from_headers, from_params, from_cookies, local_jwks, remote_jwks } = provider(
      build,
      rule,
    ) as ProviderFields
    const keys = { local_jwks, remote_jwks }
    return [
      name,
      defined({
        issuer,
        audiences,
        from_headers,
        from_params,
        from_cookies,
        ...keys,
        forward: true,
        failed_status_in_metadata: REHEARSAL,
      }),
    ] as const
  })
  const requires = any([...named.map(([provider_name]) => ({ provider_name })), { allow_missing_or_failed: {} }])
  const typed_config = typed('envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', {
    providers: Object.fromEntries(named),
    rules: [{ match: { prefix: '/' }, requires }],
    bypass_cors_preflight: true,
    stat_prefix: `${REHEARSAL}.`,
  })
  return [{ name: `envoy.filters.http.jwt_authn.${REHEARSAL}`, typed_config }]
}

/** Of the two kinds of keys one is there. */
type ProviderFields = Omit<JwtProvider, 'local_jwks' | 'remote_jwks'> & {
  readonly local_jwks?: JwtProvider['local_jwks']
  readonly remote_jwks?: JwtProvider['remote_jwks']
}

function enforced(build: Build, service: MeshService | undefined): HttpFilter[] {
  const rules = jwtRulesFor(build, service)
  if (rules.length === 0) return []
  const named = rules.map((rule, i) => [`origins-${i}`, provider(build, rule)] as const)
  const config = {
    providers: Object.fromEntries(named),
    rules: [{ match: { prefix: '/' }, requires: requirement(named.map(([name]) => name)) }],
    bypass_cors_preflight: true,
  }
  const typed_config = typed('envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', config)
  return [{ name: 'envoy.filters.http.jwt_authn', typed_config }]
}

function requirement(names: readonly string[]): JwtRequirement {
  const each = names.map((provider_name) => any([{ provider_name }, { allow_missing: {} }]))
  const [first] = each
  if (each.length === 1 && first !== undefined) return first
  return any([...names.map((provider_name) => ({ provider_name })), { requires_all: { requirements: each } }])
}

function any(requirements: JwtRequirement[]): JwtRequirement {
  return { requires_any: { requirements } }
}

function provider(build: Build, rule: JWTRule): JwtProvider {
  const claims = rule.outputClaimToHeaders ?? []
  const headers = rule.fromHeaders ?? []
  return defined<JwtProvider>({
    issuer: rule.issuer,
    audiences: nonEmpty(rule.audiences),
    forward: rule.forwardOriginalToken === true ? true : undefined,
    forward_payload_header: rule.outputPayloadToHeader || undefined,
    payload_in_metadata: 'payload',
    normalize_payload_in_metadata: {
      space_delimited_claims: [...new Set([...SPACE_DELIMITED, ...(rule.spaceDelimitedClaims ?? [])])].sort(),
    },
    // A gateway's routes may match claims, so they are looked up again.
    clear_route_cache: build.proxy.type === 'router' ? true : undefined,
    claim_to_headers:
      claims.length === 0 ? undefined : claims.map(({ header, claim }) => ({ header_name: header, claim_name: claim })),
    from_headers:
      headers.length === 0
        ? undefined
        : headers.map(({ name, prefix }) => (prefix === undefined || prefix === '' ? { name } : { name, value_prefix: prefix })),
    from_params: nonEmpty(rule.fromParams),
    from_cookies: nonEmpty(rule.fromCookies),
    ...keySource(build, rule),
  })
}

const KEY_CACHE = '300s'
const DEFAULT_KEY_TIMEOUT = 5000

/** Keys that the control plane has, or, where istiod's switch says so, the place where the proxy fetches them: a service of the mesh. */
function keySource(build: Build, rule: JWTRule): { remote_jwks: RemoteJwks } | { local_jwks: { inline_string: string } } {
  const { jwksUri = '' } = rule
  const place = build.features.remoteJwks === 'istiod' || (rule.jwks ?? '') !== '' ? undefined : keyServer(build, jwksUri)
  if (place === undefined) return { local_jwks: { inline_string: keysOf(build, rule) } }
  const http_uri = { uri: jwksUri, cluster: place, timeout: duration(rule.timeout ?? DEFAULT_KEY_TIMEOUT) }
  return { remote_jwks: { http_uri, cache_duration: KEY_CACHE } }
}

/** The cluster of a URL's host; of a host that nobody knows only where the proxy has to fetch. */
function keyServer(build: Build, uri: string): string | undefined {
  const [, scheme, host, written] = /^(https?):\/\/([^/:]+)(?::(\d+))?/.exec(uri) ?? []
  if (host === undefined) return undefined
  const port = written === undefined ? (scheme === 'https' ? 443 : 80) : Number(written)
  const found = lookupService(build, host, port)
  return found?.cluster ?? (build.features.remoteJwks === 'envoy' ? outboundCluster(port, '', host) : undefined)
}

function keysOf(build: Build, { jwks, jwksUri = '', issuer }: JWTRule): string {
  return jwks !== undefined && jwks !== '' ? jwks : (build.jwks({ jwksUri, issuer }) ?? noKeys(jwksUri))
}

/** Keys that nobody has, so that every token is refused while the true ones are unknown. */
function noKeys(jwksUri: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(jwksUri))
  const modulus = btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  return `{"keys":[ {"e":"AQAB","kid":"abc","kty":"RSA","n":"${modulus}"}]}`
}

function nonEmpty(list: readonly string[] | undefined): string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : [...list]
}
