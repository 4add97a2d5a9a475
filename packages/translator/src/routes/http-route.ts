import type {
  ConsistentHash,
  Destination,
  EffectiveHttpRoute,
  EffectiveVirtualService,
  HTTPMatchRequest,
  HTTPRouteDestination,
  MeshService,
  TrafficPolicy,
} from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type {
  Route,
  RouteAction,
  RouteAction_HashPolicy,
  RouteMatch,
  WeightedCluster_ClusterWeight,
} from '@heddle/xds-types/envoy/config/route/v3'
import { selectsProxy } from '../ask.js'
import type { Build } from '../build.js'
import { rateLimitConfig } from '../extensions/rate-limit.js'
import { isProxyless } from '../grpc/proxyless.js'
import type { MergedRule } from '../merged-rules.js'
import { configMetadata, defined, duration, type TypedMessage } from '../message.js'
import { outboundCluster, parseClusterName } from '../names.js'
import { NO_ORIGINS, sourceOf } from '../provenance.js'
import { isEmpty } from '../selection.js'
import { routeSemantics } from '../semantics.js'
import { corsConfig } from './cors.js'
import { forwardedHost } from './default-route.js'
import { faultConfig } from './fault.js'
import { hashPolicy } from './hash-policy.js'
import { authorityOf, type HeaderChanges, headerChanges, joinChanges, NO_CHANGES } from './headers.js'
import { isCatchAll, routeMatch } from './match.js'
import { mirrorPolicies } from './mirror.js'
import { sessionConfig } from './persistent-session.js'
import { directResponseAction, redirectAction } from './redirect.js'
import { retryPolicy } from './retry.js'

/** For which listener rules are translated. */
export interface RouteScope {
  readonly build: Build
  readonly virtualService: EffectiveVirtualService
  /** Port of the listener; 0 on the HTTP proxy, which has services of every port. */
  readonly port: number
  /** `mesh`, or the gateway's `namespace/name`. */
  readonly gateway: string
  readonly tls: boolean
  serviceOf(hostname: string): MeshService | undefined
  /** Where another cluster than the destination's outbound one is meant: on a waypoint. */
  readonly clusterFor?: (destination: Destination, port: number, service: MeshService | undefined) => string
}

/** One Envoy route per match block, in order, up to the first that matches everything. */
export function httpRoutes(scope: RouteScope): Route[] {
  const routes: Route[] = []
  const { http: rules, resource } = scope.virtualService
  const metadata = configMetadata(resource)
  if (rules.length > 1 || (rules[0]?.http.match ?? []).length > 1) writtenOnce(metadata)
  for (const rule of rules) {
    const matches = rule.http.match ?? []
    const parts = partsOf(scope, rule, metadata)
    if (matches.length === 0) {
      routes.push(routeOf(scope, rule, undefined, rule.path, parts))
      return routes
    }
    for (const [i, match] of matches.entries()) {
      if (!appliesHere(scope, match)) continue
      const route = routeOf(scope, rule, match, `${rule.path}.match[${i}]`, parts)
      routes.push(route)
      if (route.match !== undefined && isCatchAll(route.match)) return routes
    }
  }
  return routes
}

/** Whether the routes of a VirtualService are others on another port, or inside TLS. */
export function dependsOnPort({ virtualService, serviceOf }: Pick<RouteScope, 'virtualService' | 'serviceOf'>): boolean {
  let portless = withoutPort.get(virtualService)
  if (portless === undefined) withoutPort.set(virtualService, (portless = portlessHosts(virtualService)))
  // A service with one port is called on it.
  return portless === ALWAYS || portless.some((host) => serviceOf(host)?.ports.length !== 1)
}

const ALWAYS: readonly string[] = []
const withoutPort = new WeakMap<EffectiveVirtualService, readonly string[]>()

/** The destinations that do not say their port; `ALWAYS` where the listener's port shows anyway. */
function portlessHosts({ http }: EffectiveVirtualService): readonly string[] {
  const hosts = new Set<string>()
  for (const { http: rule } of http) {
    const { match = [], route = [], mirror, mirrors = [] } = rule
    const destinations = [...route, ...mirrors, ...(mirror === undefined ? [] : [{ destination: mirror }])]
    // What traces call a route without a single destination has the port in it.
    if (route.length !== 1 || match.some(({ port }) => port !== undefined && port !== 0)) return ALWAYS
    if (destinations.some(({ destination }) => destination.host === '')) return ALWAYS
    for (const { destination } of destinations) if (destination.port === undefined) hosts.add(destination.host)
  }
  return [...hosts]
}

/** Port, gateways, source labels and namespace are known now: what cannot match here gives no route. */
function appliesHere({ build, port, gateway }: RouteScope, match: HTTPMatchRequest): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== port) return false
  if (match.gateways !== undefined && match.gateways.length > 0) return match.gateways.includes(gateway)
  if (!selectsProxy(match.sourceLabels, build.proxy)) return false
  return match.sourceNamespace === undefined || match.sourceNamespace === '' || match.sourceNamespace === build.proxy.namespace
}

/** What all routes of a rule say. */
interface RuleParts {
  readonly metadata: Route['metadata']
  readonly headers: HeaderChanges
  readonly action: Pick<Route, 'route' | 'redirect' | 'direct_response'>
  readonly filters: Route['typed_per_filter_config']
  /** What traces call them, without the path: the destination, or the VirtualService where there are several. */
  readonly operation: string
}

/** Made when the first route is; again for each only where what a rule does depends on what it matches. */
function partsOf(scope: RouteScope, rule: EffectiveHttpRoute, metadata: Route['metadata']): (match: RouteMatch) => RuleParts {
  if (rewritesPrefix(scope, rule.http)) return (match) => makeParts(scope, rule, metadata, match)
  let kept: RuleParts | undefined
  return (match) => {
    if (kept !== undefined) return kept
    kept = makeParts(scope, rule, metadata, match)
    const { route } = kept.action
    if ((rule.http.match ?? []).length > 1 && route !== undefined) writtenOnce(route)
    return kept
  }
}

/** A destination, and what there is of it. */
interface Target {
  readonly to: HTTPRouteDestination
  readonly service: MeshService | undefined
  readonly rule: MergedRule | undefined
  readonly cluster: string
}

function targetOf(scope: RouteScope, to: HTTPRouteDestination): Target {
  const service = scope.serviceOf(to.destination.host)
  const rule = service === undefined ? undefined : scope.build.rules.of(service)
  return { to, service, rule, cluster: clusterOfService(scope, to.destination, service) }
}

function makeParts(scope: RouteScope, rule: EffectiveHttpRoute, metadata: Route['metadata'], match: RouteMatch): RuleParts {
  const { http } = rule
  const targets = (http.route ?? []).map((to) => targetOf(scope, to))
  const only = targets.length === 1 ? targets[0] : undefined
  const ofRule = headerChanges(http.headers)
  const action = actionOf(scope, rule, match, targets)
  const headers = action.route === undefined || only === undefined ? ofRule : joinChanges(ofRule, headerChanges(only.to.headers))
  return { metadata, headers, action, filters: filtersOf(scope, http, only), operation: operationOf(scope, action.route) }
}

function operationOf({ virtualService, port }: RouteScope, route: RouteAction | undefined): string {
  const cluster = parseClusterName(route?.cluster ?? '')
  return cluster === undefined ? `${virtualService.resource.metadata.name}:${port}` : `${cluster.host}:${cluster.port}`
}

/** What filters are told, by the rule and by its only destination. */
function filtersOf(
  scope: RouteScope,
  { fault, corsPolicy }: EffectiveHttpRoute['http'],
  only: Target | undefined,
): Route['typed_per_filter_config'] {
  const ofTarget = only === undefined ? undefined : configsOf(scope, only)
  if (fault === undefined && corsPolicy === undefined) return ofTarget
  return {
    ...(fault === undefined ? {} : { 'envoy.filters.http.fault': faultConfig(fault) }),
    ...(corsPolicy === undefined ? {} : { 'envoy.filters.http.cors': corsConfig(corsPolicy) }),
    ...ofTarget,
  }
}

/** A route of the Gateway API that takes its own prefix away: what it does depends on what it matches. */
function rewritesPrefix({ virtualService }: RouteScope, { rewrite }: EffectiveHttpRoute['http']): boolean {
  return rewrite?.uri === '/' && routeSemantics(virtualService.resource) === 'gateway'
}

function routeOf(
  scope: RouteScope,
  rule: EffectiveHttpRoute,
  match: HTTPMatchRequest | undefined,
  path: string,
  parts: ReturnType<typeof partsOf>,
): Route {
  const { name: ruleName = '' } = rule.http
  const name = match?.name ? `${ruleName}.${match.name}` : ruleName
  const matched = routeMatch(match, routeSemantics(scope.virtualService.resource))
  const { metadata, headers, action, filters, operation } = parts(matched)
  const route: Route = name === '' ? { match: matched } : { name, match: matched }
  if (match?.statPrefix) route.stat_prefix = match.statPrefix
  route.metadata = metadata
  if (headers !== NO_CHANGES) Object.assign(route, headers)
  if (action.route !== undefined) route.route = action.route
  else Object.assign(route, action)
  if (filters !== undefined) route.typed_per_filter_config = filters
  route.decorator = { operation: `${operation}${pathOf(matched)}` }
  return mark(scope, rule, route, path)
}

function actionOf(
  scope: RouteScope,
  { http }: EffectiveHttpRoute,
  match: RouteMatch,
  targets: readonly Target[],
): RuleParts['action'] {
  if (http.redirect !== undefined) return { redirect: redirectAction(http.redirect, scope.port, scope.tls) }
  if (http.directResponse !== undefined) return { direct_response: directResponseAction(http.directResponse) }
  return { route: forward(scope, http, match, targets) }
}

function forward(
  scope: RouteScope,
  http: EffectiveHttpRoute['http'],
  match: RouteMatch,
  targets: readonly Target[],
): RouteAction {
  const { build } = scope
  const only = targets.length === 1 ? targets[0] : undefined
  const timeout = duration(http.timeout ?? build.features.requestTimeout)
  const hashes = (only === undefined ? targets.filter(({ to }) => (to.weight ?? 0) > 0) : targets).map(consistentHashOf)
  const hash = hashes.map(hashPolicy).filter((h): h is RouteAction_HashPolicy => h !== undefined)
  const authority =
    (http.rewrite?.authority || undefined) ??
    authorityOf(http.headers) ??
    (only === undefined ? undefined : authorityOf(only.to.headers))
  const mirrors = mirrorPolicies(build, http, (d) => clusterOf(scope, d))
  const retries = retryPolicy(http.retries ?? build.mesh.defaultHttpRetryPolicy, only !== undefined && hashes[0] !== undefined)
  // gRPC's own library does not read the older field.
  const action: RouteAction = isProxyless(build.proxy)
    ? { timeout, max_stream_duration: { max_stream_duration: timeout } }
    : { timeout, max_grpc_timeout: timeout }
  if (only === undefined) action.weighted_clusters = { clusters: weighted(scope, targets) }
  else action.cluster = only.cluster
  if (routeSemantics(scope.virtualService.resource) === 'gateway')
    action.cluster_not_found_response_code = 'INTERNAL_SERVER_ERROR'
  if (http.rewrite !== undefined)
    Object.assign(action, rewritesPrefix(scope, http) ? withoutPrefix(match) : rewriteOf(http.rewrite))
  if (authority !== undefined) action.host_rewrite_literal = authority
  if (http.rewrite !== undefined) Object.assign(action, forwardedHost(build))
  if (mirrors.length > 0) action.request_mirror_policies = mirrors
  if (hash.length > 0) action.hash_policy = hash
  if (retries !== undefined) action.retry_policy = retries
  return action
}

function rewriteOf(rewrite: EffectiveHttpRoute['http']['rewrite']): Pick<RouteAction, 'regex_rewrite' | 'prefix_rewrite'> {
  if (rewrite?.uriRegexRewrite !== undefined)
    return { regex_rewrite: { pattern: { regex: rewrite.uriRegexRewrite.match }, substitution: rewrite.uriRegexRewrite.rewrite } }
  return rewrite?.uri === undefined || rewrite.uri === '' ? {} : { prefix_rewrite: rewrite.uri }
}

/** A prefix rewritten to `/` would leave two slashes, or none. */
function withoutPrefix({ path_separated_prefix: prefix = '' }: RouteMatch): Pick<RouteAction, 'regex_rewrite'> {
  const quoted = prefix.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
  return { regex_rewrite: { pattern: { regex: `^${quoted}(/?)(.*)` }, substitution: '/\\2' } }
}

/** Destinations of weight 0 take no part; what is left stays weighted, even if it is one. */
function weighted(scope: RouteScope, targets: readonly Target[]): WeightedCluster_ClusterWeight[] {
  return targets
    .filter(({ to }) => (to.weight ?? 0) > 0)
    .map((target) =>
      defined({
        name: target.cluster,
        weight: target.to.weight,
        ...headerChanges(target.to.headers),
        host_rewrite_literal: authorityOf(target.to.headers),
        typed_per_filter_config: configsOf(scope, target),
      }),
    )
}

/** What filters are told about a destination; undefined: nothing. */
function configsOf({ build }: RouteScope, { service, rule }: Target): Readonly<Record<string, TypedMessage>> | undefined {
  if (service === undefined) return undefined
  const configs = { ...rateLimitConfig(rule), ...sessionConfig(build, service) }
  return isEmpty(configs) ? undefined : configs
}

/** What Istio names the cluster of a backend that a route of the Gateway API may not use. */
const UNKNOWN_SERVICE = 'UnknownService'

/** The cluster of a destination, also one that does not exist: requests to it get 503. Without a port it is the service's only one, else the listener's. */
export function clusterOf(scope: Pick<RouteScope, 'port' | 'serviceOf' | 'clusterFor'>, destination: Destination): string {
  return clusterOfService(scope, destination, scope.serviceOf(destination.host))
}

function clusterOfService(
  scope: Pick<RouteScope, 'port' | 'clusterFor'>,
  destination: Destination,
  service: MeshService | undefined,
): string {
  if (destination.host === '') return UNKNOWN_SERVICE
  const port = portOf(scope.port, destination, service)
  if (scope.clusterFor !== undefined) return scope.clusterFor(destination, port, service)
  return outboundCluster(port, destination.subset ?? '', service?.externalName ?? destination.host)
}

export function portOf(listenPort: number, destination: Destination, service: MeshService | undefined): number {
  if (destination.port !== undefined) return destination.port.number
  const only = service?.ports.length === 1 ? service.ports[0] : undefined
  return only?.number ?? listenPort
}

function consistentHashOf({ to: { destination }, rule }: Target): ConsistentHash | undefined {
  if (rule === undefined) return undefined
  const subset = rule.subsets.find((s) => s.subset.name === destination.subset)?.subset.trafficPolicy
  const number = destination.port?.number
  return (
    hashForPort(subset, number) ??
    subset?.loadBalancer?.consistentHash ??
    hashForPort(rule.trafficPolicy, number) ??
    rule.trafficPolicy?.loadBalancer?.consistentHash
  )
}

/** Port settings count only where the rule names the port. */
function hashForPort(policy: TrafficPolicy | undefined, port: number | undefined): ConsistentHash | undefined {
  return policy?.portLevelSettings?.find((p) => p.port.number === port)?.loadBalancer?.consistentHash
}

/** What a route matches, as traces tell it. */
function pathOf({ path, prefix, safe_regex }: RouteMatch): string {
  return path ?? (prefix === undefined ? (safe_regex?.regex ?? '/*') : `${prefix}*`)
}

function mark({ build }: RouteScope, rule: EffectiveHttpRoute, route: Route, path: string): Route {
  const { origins } = build
  if (origins === NO_ORIGINS) return route
  origins.mark(route, sourceOf(rule.source, path))
  if (route.match !== undefined && path !== rule.path) origins.mark(route, sourceOf(rule.source, path), 'match')
  if (rule.http.route !== undefined) origins.mark(route, sourceOf(rule.source, `${rule.path}.route`), 'decorator')
  if (route.route === undefined) return route
  origins.mark(route.route, sourceOf(rule.source, `${rule.path}.route`))
  for (const [field, key] of MARKED) {
    if (rule.http[key] !== undefined && route.route[field] !== undefined)
      origins.mark(route.route, sourceOf(rule.source, `${rule.path}.${key}`), field)
  }
  if (route.route.cluster !== undefined)
    origins.mark(route.route, sourceOf(rule.source, `${rule.path}.route[0].destination`), 'cluster')
  const used = (rule.http.route ?? []).map((d, i) => ({ d, i })).filter(({ d }) => (d.weight ?? 0) > 0)
  for (const [at, cluster] of (route.route.weighted_clusters?.clusters ?? []).entries())
    origins.mark(cluster, sourceOf(rule.source, `${rule.path}.route[${used[at]?.i ?? at}]`))
  return route
}

const MARKED = [
  ['timeout', 'timeout'],
  ['max_grpc_timeout', 'timeout'],
  ['max_stream_duration', 'timeout'],
  ['retry_policy', 'retries'],
  ['prefix_rewrite', 'rewrite'],
  ['regex_rewrite', 'rewrite'],
  ['request_mirror_policies', 'mirror'],
] as const
