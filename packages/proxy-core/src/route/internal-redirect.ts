import type { HttpRequest } from '../http/message.js'
import type { CompiledRoute } from './table.js'

/** InternalRedirectPolicy, compiled. */
export interface InternalRedirectPolicy {
  readonly max: number
  /** 302 by default. */
  readonly statuses: ReadonlySet<number>
  readonly allowCrossScheme: boolean
  /** safe_cross_scheme: from http to https never, since its client would see in plain text what was meant for TLS. */
  readonly safeCrossScheme: boolean
  /** previous_routes: no route is taken twice. */
  readonly notTwice: boolean
  /** allow_listed_routes; undefined: any. */
  readonly allowedRoutes?: ReadonlySet<string>
  /** response_headers_to_copy, lower case: from the redirect into the next request. */
  readonly copyHeaders: readonly string[]
}

/** The redirects that a request has been through already, with the routes that they led to. */
export interface RedirectHistory {
  readonly count: number
  readonly routes: readonly CompiledRoute[]
}

export const NO_REDIRECTS: RedirectHistory = { count: 0, routes: [] }

/** The request that a redirect asks for. */
export interface RedirectTarget {
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly path: string
  readonly withoutBody: boolean
}

/** Why a redirect is passed on: Envoy's statistics `passthrough_internal_redirect_<reason>`. */
export type RedirectRefusal = 'bad_location' | 'unsafe_scheme' | 'too_many_redirects' | 'no_route' | 'predicate'

const ABSOLUTE = /^(https?):\/\/(?:[^/?#@]*@)?([^/?#@\s]+)([^#\s]*)(?:#.*)?$/i

/** Where a location leads: absolute ones only, and without userinfo, as in Envoy. */
export function redirectTarget(
  policy: InternalRedirectPolicy,
  status: number,
  location: string,
  request: HttpRequest,
  { count }: RedirectHistory,
): RedirectTarget | RedirectRefusal {
  const found = ABSOLUTE.exec(location)
  if (found === null) return 'bad_location'
  const scheme = found[1]!.toLowerCase() as 'http' | 'https'
  if (scheme !== request.scheme && !policy.allowCrossScheme) return 'unsafe_scheme'
  if (count >= policy.max) return 'too_many_redirects'
  const rest = found[3]!
  const becomesGet = status === 303 && request.method !== 'GET' && request.method !== 'HEAD'
  return {
    method: becomesGet ? 'GET' : request.method,
    scheme,
    authority: found[2]!,
    path: rest.startsWith('/') ? rest : `/${rest}`,
    withoutBody: becomesGet,
  }
}

/** Whether the predicates let the next request take that route. */
export function mayRedirectTo(
  { notTwice, safeCrossScheme, allowedRoutes }: InternalRedirectPolicy,
  next: CompiledRoute | undefined,
  routes: readonly CompiledRoute[],
  schemes: { readonly from: string; readonly to: string },
): boolean {
  if (safeCrossScheme && schemes.from === 'http' && schemes.to === 'https') return false
  if (next === undefined) return true
  if (notTwice && routes.includes(next)) return false
  return allowedRoutes === undefined || allowedRoutes.has(next.name)
}
