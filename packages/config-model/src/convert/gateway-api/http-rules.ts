import type { GRPCRoute, GRPCRouteRule } from '../../kinds/gateway-api/grpc-route.js'
import type {
  HTTPBackend,
  HTTPRoute as HTTPRouteObject,
  HTTPRouteRetry,
  HTTPRouteRule,
} from '../../kinds/gateway-api/http-route.js'
import type { HTTPMatchRequest, HTTPRetry, HTTPRoute, HTTPRouteDestination } from '../../kinds/http-route.js'
import type { Problem } from '../status.js'
import { destinationOf, type RouteContext, weighted } from './destinations.js'
import { applyFilters, backendHeaders } from './http-filters.js'
import { grpcMatch, httpMatch } from './http-matches.js'

/** What the rules of a route become; none where one of them cannot be kept. */
export interface ConvertedRules<R> {
  readonly routes: readonly R[]
  readonly problem?: Problem
}

/** Rules of an HTTPRoute, one for each match. */
export function httpRules({ metadata, spec }: HTTPRouteObject, context: RouteContext): ConvertedRules<HTTPRoute> {
  return convertRules(spec.rules ?? [], (rule, i) => {
    const base = { name: rule.name ?? `${metadata.namespace}.${metadata.name}.${i}` }
    const rest = restOfRule(rule, context)
    return rest.fatal === true ? rest : { ...rest, routes: perMatch(rule.matches, httpMatch, { ...base, ...rest.fields }) }
  })
}

/** Rules of a GRPCRoute: HTTP/2 by the path of the method. */
export function grpcRules({ metadata, spec }: GRPCRoute, context: RouteContext): ConvertedRules<HTTPRoute> {
  return convertRules(spec.rules ?? [], (rule, i) => {
    const matches = (rule.matches ?? []).map(grpcMatch)
    if (matches.includes(undefined)) {
      const message = 'gRPC match must have method or service defined'
      return { fatal: true, problem: { reason: 'InvalidConfiguration', message } }
    }
    const base = { name: rule.name ?? `${metadata.namespace}.${metadata.name}.${i}` }
    const rest = restOfRule(rule, context)
    if (rest.fatal === true) return rest
    return { ...rest, routes: perMatch(matches as HTTPMatchRequest[], (match) => match, { ...base, ...rest.fields }) }
  })
}

type RuleResult<R> =
  | { readonly fatal: true; readonly problem: Problem }
  | { readonly fatal?: never; readonly routes: readonly R[]; readonly problem?: Problem }

/** One rule that cannot be kept stops them all: nobody knows what it would have taken away from the others. */
export function convertRules<T, R>(rules: readonly T[], convert: (rule: T, index: number) => RuleResult<R>): ConvertedRules<R> {
  const routes: R[] = []
  let problem: Problem | undefined
  for (const [i, rule] of rules.entries()) {
    const result = convert(rule, i)
    if (result.fatal === true) return { routes: [], problem: result.problem }
    problem = result.problem ?? problem
    routes.push(...result.routes)
  }
  return problem === undefined ? { routes } : { routes, problem }
}

function perMatch<M>(matches: readonly M[] | undefined, convert: (match: M) => HTTPMatchRequest, base: HTTPRoute): HTTPRoute[] {
  if (matches === undefined || matches.length === 0) return [base]
  return matches.map((match) => {
    const converted = convert(match)
    return Object.keys(converted).length === 0 ? base : { ...base, match: [converted] }
  })
}

type RestOfRule =
  | { readonly fatal: true; readonly problem: Problem }
  | { readonly fatal?: never; readonly fields: Partial<HTTPRoute>; readonly problem?: Problem }

/** All of a rule but its matches. */
function restOfRule(rule: HTTPRouteRule | GRPCRouteRule, context: RouteContext): RestOfRule {
  const { fields: filtered, problem: mirrorProblem, fatal } = applyFilters(rule.filters ?? [], context)
  if (fatal !== undefined) return { fatal: true, problem: fatal }
  const fields: Partial<HTTPRoute> = { ...filtered, ...resilience(rule) }
  const refs = rule.backendRefs ?? []
  if (refs.every(({ weight = 1 }) => weight === 0)) {
    // Without a backend the API asks for 500.
    if (fields.redirect === undefined) fields.directResponse = { status: 500 }
    return { fields, ...(mirrorProblem === undefined ? {} : { problem: mirrorProblem }) }
  }
  const backends = destinations(refs, context)
  if (backends.fatal === true) return backends
  const problem = joined(backends.problem, mirrorProblem)
  return { fields: { ...fields, route: backends.route }, ...(problem === undefined ? {} : { problem }) }
}

function joined(a: Problem | undefined, b: Problem | undefined): Problem | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return { reason: a.reason, message: `${a.message}; ${b.message}` }
}

type Destinations =
  | { readonly fatal: true; readonly problem: Problem }
  | { readonly fatal?: never; readonly route: readonly HTTPRouteDestination[]; readonly problem?: Problem }

function destinations(refs: readonly HTTPBackend[], context: RouteContext): Destinations {
  let problem: Problem | undefined
  const route: HTTPRouteDestination[] = []
  for (const { ref, weight } of weighted(refs)) {
    const found = destinationOf(ref, context)
    if (found.fatal === true && found.problem !== undefined) return { fatal: true, problem: found.problem }
    problem = found.problem ?? problem
    const headers = backendHeaders(ref.filters ?? [])
    if ('reason' in headers) return { fatal: true, problem: headers }
    route.push({ destination: found.destination, ...headers, ...(weight === undefined ? {} : { weight }) })
  }
  return problem === undefined ? { route } : { route, problem }
}

/** Timeouts and retries; without retries the timeout of a try is that of the request. */
function resilience(rule: HTTPRouteRule | GRPCRouteRule): Partial<HTTPRoute> {
  const { retry, timeouts = {} } = rule as HTTPRouteRule
  const retries = retry === undefined ? undefined : retriesOf(retry)
  const { request = 0, backendRequest = 0 } = timeouts
  const timeout = retries === undefined && backendRequest !== 0 ? backendRequest : request
  if (retries !== undefined && backendRequest !== 0) retries.perTryTimeout = backendRequest
  return { ...(retries === undefined ? {} : { retries }), ...(timeout === 0 ? {} : { timeout }) }
}

const RETRY_ON = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled']

/** Connection errors are retried as well; default 2 attempts. */
function retriesOf({ attempts = 2, codes = [], backoff }: HTTPRouteRetry): HTTPRetry {
  return {
    attempts,
    ...(attempts === 0 ? {} : { retryOn: [...RETRY_ON, ...codes.map(String)].join(',') }),
    ...(backoff === undefined ? {} : { backoff }),
  }
}
