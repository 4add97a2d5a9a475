import type { Random } from '@heddle/runtime'
import type { RouteDecision } from '../route/decision.js'
import { mayRedirectTo, type RedirectHistory, type RedirectTarget } from '../route/internal-redirect.js'
import type { RouteTable } from '../route/table.js'
import type { HeaderMap } from './header-map.js'
import type { HttpRequest, HttpResponse } from './message.js'

/** A redirect as its request met it. */
export interface MetRedirect {
  readonly response: HttpResponse
  readonly target: RedirectTarget
  /** The route that the answer came by. */
  readonly by: RouteDecision | undefined
  readonly history: RedirectHistory
}

/** Where a followed redirect leads. */
export interface FollowedRedirect {
  readonly route: RouteDecision
  readonly history: RedirectHistory
}

/** Makes a request the one that a redirect asks for. Undefined: no route takes that one, or may; the request is as it was. */
export function followRedirect(
  request: HttpRequest,
  { response, target, by, history }: MetRedirect,
  table: RouteTable | undefined,
  random: Random,
): FollowedRedirect | undefined {
  const policy = by?.kind === 'forward' && by.route.action.kind === 'forward' ? by.route.action.internalRedirect : undefined
  if (policy === undefined || table === undefined) return undefined
  const { method, scheme, authority, path } = request
  Object.assign(request, { method: target.method, scheme: target.scheme, authority: target.authority, path: target.path })
  const route = table.resolve(request, random)
  const { count, routes } = history
  if (route.kind === 'none' || (route.route !== undefined && !mayRedirectTo(policy, route.route, routes))) {
    Object.assign(request, { method, scheme, authority, path })
    return undefined
  }
  request.headers.set('x-envoy-original-url', `${scheme}://${authority}${path}`)
  if (target.withoutBody) request.headers.delete('content-length')
  for (const name of policy.copyHeaders) copyHeader(name, response.headers, request.headers)
  return { route, history: { count: count + 1, routes: route.route === undefined ? routes : [...routes, route.route] } }
}

function copyHeader(name: string, from: HeaderMap, to: HeaderMap): void {
  const value = from.get(name)
  if (value === undefined) to.delete(name)
  else to.set(name, value)
}
