import type { Random } from '@heddle/runtime'
import type { RouteDecision } from '../route/decision.js'
import {
  mayRedirectTo,
  type RedirectHistory,
  type RedirectRefusal,
  type RedirectTarget,
  redirectTarget,
} from '../route/internal-redirect.js'
import type { RouteTable } from '../route/table.js'
import type { HeaderMap } from './header-map.js'
import type { HttpRequest, HttpResponse } from './message.js'

/** A redirect as its request met it. */
export interface MetRedirect {
  readonly response: HttpResponse
  /** The route that the answer came by. */
  readonly by: RouteDecision | undefined
  readonly history: RedirectHistory
}

/** Where a followed redirect leads. */
export interface FollowedRedirect {
  readonly kind: 'followed'
  readonly target: RedirectTarget
  readonly route: RouteDecision
  readonly history: RedirectHistory
}

/** The answer is passed on. */
export interface PassedRedirect {
  readonly kind: 'passed'
  readonly why: RedirectRefusal
  /** The route that was looked up in vain: it is what Envoy's log tells of. */
  readonly route?: RouteDecision
}

/** Makes a request the one that a redirect asks for. Passed: the request is as it was. Undefined: it leads nowhere. */
export function followRedirect(
  request: HttpRequest,
  { response, by, history }: MetRedirect,
  table: RouteTable | undefined,
  random: Random,
): FollowedRedirect | PassedRedirect | undefined {
  const policy = by?.kind === 'forward' && by.route.action.kind === 'forward' ? by.route.action.internalRedirect : undefined
  const location = response.headers.get('location')
  if (policy === undefined || table === undefined || location === undefined) return undefined
  const target = redirectTarget(policy, response.status, location, request, history)
  if (typeof target === 'string') return { kind: 'passed', why: target }
  const { method, scheme, authority, path } = request
  Object.assign(request, { method: target.method, scheme: target.scheme, authority: target.authority, path: target.path })
  const route = table.resolve(request, random)
  const { count, routes } = history
  const lost = route.kind === 'none'
  if (lost || !mayRedirectTo(policy, route.route, routes, { from: scheme, to: target.scheme })) {
    Object.assign(request, { method, scheme, authority, path })
    return { kind: 'passed', why: lost ? 'no_route' : 'predicate', route }
  }
  request.headers.set('x-envoy-original-url', `${scheme}://${authority}${path}`)
  if (target.withoutBody) request.headers.delete('content-length')
  for (const name of policy.copyHeaders) copyHeader(name, response.headers, request.headers)
  const been = route.route === undefined ? routes : [...routes, route.route]
  return { kind: 'followed', target, route, history: { count: count + 1, routes: been } }
}

/** Every value of it; one that the answer has not is none of the next request's either. */
function copyHeader(name: string, from: HeaderMap, to: HeaderMap): void {
  to.delete(name)
  for (const value of from.getAll(name)) to.append(name, value)
}
