import type { HttpRequest, HttpResponse } from '../http/message.js'
import type { CompiledRoute } from './table.js'

/** InternalRedirectPolicy, compiled. */
export interface InternalRedirectPolicy {
  readonly max: number
  /** 302 by default. */
  readonly statuses: ReadonlySet<number>
  readonly allowCrossScheme: boolean
  /** safe_cross_scheme: from https to http never. */
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

const ABSOLUTE = /^(https?):\/\/([^/?#]+)([^#]*)/i

/** Where an answer leads, if it is a redirect that the policy follows: absolute locations only, as in Envoy. */
export function redirectTarget(
  policy: InternalRedirectPolicy,
  { status, headers }: HttpResponse,
  request: HttpRequest,
  { count }: RedirectHistory,
): RedirectTarget | undefined {
  if (!policy.statuses.has(status) || count >= policy.max) return undefined
  const found = ABSOLUTE.exec(headers.get('location') ?? '')
  if (found === null) return undefined
  const scheme = found[1]!.toLowerCase() as 'http' | 'https'
  if (scheme !== request.scheme && !(policy.allowCrossScheme && !(policy.safeCrossScheme && scheme === 'http'))) return undefined
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
  { notTwice, allowedRoutes }: InternalRedirectPolicy,
  next: CompiledRoute,
  routes: readonly CompiledRoute[],
): boolean {
  if (notTwice && routes.includes(next)) return false
  return allowedRoutes === undefined || allowedRoutes.has(next.name)
}
