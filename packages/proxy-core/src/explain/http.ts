import { systemClock } from '@heddle/runtime'
import type { HttpManager } from '../config/compiled.js'
import { normalizePath } from '../http/normalize.js'
import type { RouteDecision } from '../route/decision.js'
import { perRouteConfigOf, perRouteConfigsOf } from '../route/per-route-config.js'
import { candidateRoutes, needsTls } from '../route/resolve.js'
import { NO_SCOPES, scopeOf } from '../route/scope.js'
import type { CompiledRoute, CompiledVirtualHost, RequestHead, RouteTable } from '../route/table.js'
import type { Walk } from './explain.js'
import { type ExplainedResource, type ExplainedResult, type Loser, ROUTE, SCOPE } from './explanation.js'
import { explainCluster } from './upstream.js'

export function explainHttp(walk: Walk, manager: HttpManager, resource: ExplainedResource): ExplainedResult {
  const { request, stages } = walk
  const routes = manager.routes
  stages.push({ stage: 'http_manager', name: manager.statPrefix, outcome: 'chosen', losers: [], resource })
  if (request.head === undefined) return { kind: 'close', reason: 'the listener expects HTTP' }
  const normalized = normalizePath(request.head.path, manager)
  if (normalized.kind === 'reject') return { kind: 'reply', status: 400, details: 'path_normalization_failed' }
  if (normalized.kind === 'redirect') return { kind: 'reply', status: 307, details: 'path_normalization_failed' }
  const head: RequestHead = { ...request.head, path: normalized.path }
  const { table, root, missing } = explainTable(walk, routes, head, resource)
  if (table === undefined) {
    stages.push({ stage: 'virtual_host', name: '', outcome: 'stop', reason: missing, losers: [] })
    return { kind: 'reply', status: 404, details: 'route_not_found' }
  }
  const decision = explainRoute(walk, table, head, root)
  const stopped = explainFilters(walk, manager, table, decision, head, resource)
  if (stopped !== undefined) return stopped
  if (decision.kind === 'none') return { kind: 'reply', status: 404, details: 'route_not_found' }
  if (decision.kind === 'reply') return { kind: 'reply', status: decision.reply.status, details: decision.reply.details }
  const client = request.client ?? request.connection.source.address
  const { action } = decision.route
  if (action.kind !== 'forward') return { kind: 'reply', status: 404, details: 'route_not_found' }
  return explainCluster(walk, decision.target.cluster, {
    context: { head, hash: action.hash(head, client), metadataMatch: decision.target.metadataMatch },
    notFoundStatus: action.clusterNotFoundStatus,
    ...(action.weights && { weights: action.weights }),
  })
}

interface ExplainedTable {
  readonly table: RouteTable | undefined
  readonly root: ExplainedResource
  /** Why there is no table. */
  readonly missing: string
}

/** The routes that a request meets, and where they were configured. */
function explainTable(
  { config, stages }: Walk,
  routes: HttpManager['routes'],
  head: RequestHead,
  resource: ExplainedResource,
): ExplainedTable {
  const named = (name: string): ExplainedTable => ({
    table: config.routes(name),
    root: { typeUrl: ROUTE, name, path: '' },
    missing: `the route configuration ${name} is not there yet`,
  })
  if (routes.kind === 'rds') return named(routes.name)
  const inside = (path: string): ExplainedResource => ({ ...resource, path: `${resource.path}.${path}` })
  if (routes.kind === 'inline') return { table: routes.table, root: inside('route_config'), missing: '' }
  const scope = scopeOf(routes, head, config.scopes ?? NO_SCOPES)
  if (scope === undefined) {
    const key = routes.keyOf(head)
    const missing = key === undefined ? 'its headers make no scope key' : `no scope has the key ${key}`
    return { table: undefined, root: inside('scoped_routes'), missing }
  }
  const own = routes.scopes === undefined ? { typeUrl: SCOPE, name: scope.name, path: '' } : inside('scoped_routes')
  stages.push({ stage: 'scope', name: scope.name, outcome: 'chosen', losers: [], resource: own })
  if (scope.routes.kind === 'rds') return named(scope.routes.name)
  return { table: scope.routes.table, root: routes.scopes === undefined ? under(own, 'route_configuration') : own, missing: '' }
}

function under(root: ExplainedResource, path: string): ExplainedResource {
  return { ...root, path: root.path === '' ? path : `${root.path}.${path}` }
}

function explainRoute({ request, stages }: Walk, table: RouteTable, head: RequestHead, root: ExplainedResource): RouteDecision {
  const virtualHost = table.virtualHostOf(head.authority)
  const pathOf = (each: CompiledVirtualHost): string => `virtual_hosts[${table.virtualHosts.indexOf(each)}]`
  const losers = table
    .explainVirtualHosts(head.authority)
    .map(({ virtualHost: other, reason }) => ({ name: other.name, reason, resource: under(root, pathOf(other)) }))
  if (virtualHost === undefined) {
    stages.push({
      stage: 'virtual_host',
      name: '',
      outcome: 'stop',
      reason: `no virtual host takes ${head.authority}${table.vhds === true ? `; on demand VHDS is asked for ${table.name}/${head.authority}` : ''}`,
      losers,
      resource: root,
    })
    return { kind: 'none' }
  }
  stages.push({
    stage: 'virtual_host',
    name: virtualHost.name,
    outcome: 'chosen',
    losers,
    resource: under(root, pathOf(virtualHost)),
  })
  if (needsTls(virtualHost, head)) {
    stages.push({
      stage: 'route',
      name: '',
      outcome: 'reply',
      reason: 'require_tls sends plain HTTP to https',
      losers: [],
      resource: under(root, pathOf(virtualHost)),
    })
    return table.resolve(head, request.random)
  }
  const placeOf = (route: CompiledRoute): ExplainedResource => under(root, `${pathOf(virtualHost)}.routes[${route.index}]`)
  const { winner, others } = chooseRoute(virtualHost, head, request.random, placeOf)
  if (winner === undefined) {
    stages.push({ stage: 'route', name: '', outcome: 'stop', reason: 'no route matches', losers: others })
    return { kind: 'none', virtualHost }
  }
  const outcome = winner.action.kind === 'reply' ? 'reply' : 'chosen'
  stages.push({ stage: 'route', name: routeName(winner), outcome, losers: others, resource: placeOf(winner) })
  if (winner.action.kind === 'reply') return { kind: 'reply', virtualHost, route: winner, reply: winner.action.reply(head) }
  return { kind: 'forward', virtualHost, route: winner, target: winner.action.target(head, request.random) }
}

interface Choice {
  readonly winner: CompiledRoute | undefined
  readonly others: readonly Loser[]
}

function chooseRoute(
  virtualHost: CompiledVirtualHost,
  head: RequestHead,
  random: Walk['request']['random'],
  placeOf: (route: CompiledRoute) => ExplainedResource,
): Choice {
  let winner: CompiledRoute | undefined
  const others: Loser[] = []
  for (const route of candidateRoutes(virtualHost, head)) {
    const lost = (reason: string): void => {
      others.push({ name: routeName(route), reason, resource: placeOf(route) })
    }
    if (winner !== undefined) {
      lost(`${routeName(winner)} comes first`)
      continue
    }
    const verdict = route.explainMatch(head, random)
    if (verdict.matched) winner = route
    else lost(verdict.reason)
  }
  return { winner, others }
}

function routeName(route: CompiledRoute): string {
  return route.name === '' ? `route ${route.index}` : route.name
}

function explainFilters(
  walk: Walk,
  manager: HttpManager,
  table: RouteTable,
  decision: RouteDecision,
  head: RequestHead,
  resource: ExplainedResource,
): ExplainedResult | undefined {
  const { request, stages } = walk
  const client = request.client ?? request.connection.source.address
  const question = {
    ...{ client, facts: request.connection, random: request.random, clock: request.clock ?? systemClock },
    head: { ...head, headers: head.headers.clone() },
    metadata: new Map<string, Record<string, unknown>>(),
  }
  for (const filter of manager.filters) {
    const perRoute = perRouteConfigOf(decision, table, filter.name)
    const perRouteConfigs = perRouteConfigsOf(decision, table, filter.name)
    const answer = filter.explain?.({ ...question, perRoute, perRouteConfigs })
    if (answer === undefined) continue
    stages.push({ stage: 'http_filter', name: filter.name, outcome: answer.outcome, reason: answer.reason, losers: [], resource })
    if (answer.outcome === 'reply' && answer.reply !== undefined)
      return { kind: 'reply', status: answer.reply.status, details: answer.reply.details }
  }
  return undefined
}
