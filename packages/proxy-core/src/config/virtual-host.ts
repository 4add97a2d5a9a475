import type { Route, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import { explainAll, matchesAll } from '../route/match.js'
import type { CompiledRoute, CompiledVirtualHost, Mirror, RouteAction } from '../route/table.js'
import type { CompileDeps } from './compiled.js'
import type { Fields } from './fields.js'
import { compileHeaderLists } from './header-options.js'
import { metadataOf } from './metadata.js'
import { compileMirror } from './mirror.js'
import { compilePerFilterConfig } from './per-filter-config.js'
import { compileRateLimits } from './rate-limit-actions.js'
import { compileRetryPolicy } from './retry-policy.js'
import { compileForward, type RouteScope } from './route-action.js'
import type { RouteClusters } from './route-clusters.js'
import { type CompiledMatch, compileRouteMatch } from './route-match.js'
import { compileRouteMatcher } from './route-matcher.js'
import { compileDirectResponse, compileRedirect } from './route-reply.js'
import { compileRouteTracing } from './tracing.js'
import { compileVirtualClusters } from './virtual-cluster.js'

/** What a virtual host takes over from its route configuration. */
export interface VirtualHostScope {
  readonly deps: CompileDeps
  readonly clusters: RouteClusters
  readonly mirrors: readonly Mirror[]
  readonly maxDirectBodyBytes: number
}

export function compileVirtualHost(fields: Fields<VirtualHost>, scope: VirtualHostScope): CompiledVirtualHost {
  const own = fields.messages('request_mirror_policies').map((each) => compileMirror(each, scope.clusters, scope.deps.runtime))
  const retry = compileRetryPolicy(fields.message('retry_policy'))
  const routeScope = {
    ...scope,
    retry,
    mirrors: own.length > 0 ? own : scope.mirrors,
    matchedLength: undefined,
    template: undefined,
  }
  const rateLimits = compileRateLimits(fields.messages('rate_limits'))
  let inTree = 0
  const routesOf = compileRouteMatcher(fields.message('matcher'), (route) =>
    compileRoute(route, inTree++, routeScope, scope.maxDirectBodyBytes),
  )
  const virtualClusterOf = compileVirtualClusters(fields.messages('virtual_clusters'))
  const virtualHost: CompiledVirtualHost = {
    name: fields.string('name'),
    metadata: metadataOf(fields),
    domains: fields.strings('domains'),
    routes: fields.messages('routes').map((route, index) => compileRoute(route, index, routeScope, scope.maxDirectBodyBytes)),
    ...(routesOf && { routesOf }),
    ...(rateLimits.length > 0 && { rateLimits }),
    ...(virtualClusterOf && { virtualClusterOf }),
    ...compileHeaderLists(fields),
    perFilterConfig: compilePerFilterConfig(fields, scope.deps),
    ...compileBufferLimit(fields),
    includeAttemptCountInRequest: fields.boolean('include_request_attempt_count'),
    includeAttemptCountInResponse: fields.boolean('include_attempt_count_in_response'),
    requireTls: fields.choice('require_tls', ['NONE', 'EXTERNAL_ONLY', 'ALL'], 'NONE'),
  }
  fields.done()
  if (routesOf !== undefined && virtualHost.routes.length > 0) fields.problem('excludes routes.', 'matcher')
  if (virtualHost.domains.length === 0) fields.problem('needs at least one domain.', 'domains')
  return virtualHost
}

interface BufferLimits {
  request_body_buffer_limit?: unknown
  per_request_buffer_limit_bytes?: unknown
}

/** request_body_buffer_limit goes before the older per_request_buffer_limit_bytes. */
function compileBufferLimit(fields: Fields<BufferLimits>): { readonly bufferLimitBytes?: number } {
  const older = fields.has('per_request_buffer_limit_bytes') && fields.number('per_request_buffer_limit_bytes')
  const newer = fields.has('request_body_buffer_limit') && fields.number('request_body_buffer_limit')
  const limit = newer === false ? older : newer
  return limit === false ? {} : { bufferLimitBytes: limit }
}

const NO_MATCH: CompiledMatch = { predicates: [], matchedLength: undefined, pathText: 'nothing' }

function compileRoute(fields: Fields<Route>, index: number, scope: RouteScope, maxDirectBodyBytes: number): CompiledRoute {
  const match = fields.message('match')
  if (match === undefined) fields.problem('is required.', 'match')
  const { predicates, matchedLength, template } = match === undefined ? NO_MATCH : compileRouteMatch(match, scope.deps.runtime)
  const tracing = compileRouteTracing(fields.message('tracing'), fields.message('decorator'))
  const route: CompiledRoute = {
    name: fields.string('name'),
    index,
    matches: (head, random) => matchesAll(predicates, head, random),
    explainMatch: (head, random) => explainAll(predicates, head, random),
    action: compileAction(fields, { ...scope, matchedLength, template }, maxDirectBodyBytes),
    ...compileHeaderLists(fields),
    perFilterConfig: compilePerFilterConfig(fields, scope.deps),
    metadata: metadataOf(fields),
    ...compileBufferLimit(fields),
    ...(fields.has('stat_prefix') && { statPrefix: fields.string('stat_prefix') }),
    ...(tracing && { tracing }),
  }
  fields.done()
  return route
}

function compileAction(fields: Fields<Route>, scope: RouteScope, maxDirectBodyBytes: number): RouteAction {
  const forward = fields.message('route')
  if (forward !== undefined) return compileForward(forward, scope)
  const redirect = fields.message('redirect')
  if (redirect !== undefined) return compileRedirect(redirect, scope.matchedLength)
  const direct = fields.message('direct_response')
  if (direct !== undefined) return compileDirectResponse(direct, scope.deps, maxDirectBodyBytes)
  if (!fields.has('filter_action') && !fields.has('non_forwarding_action'))
    fields.problem('needs one of route, redirect, direct_response.')
  return { kind: 'reply', reply: () => ({ status: 404, body: '', details: 'route_not_found' }) }
}
