import { ok } from '@heddle/runtime'
import type { CorsPolicy } from '@heddle/xds-types/envoy/extensions/filters/http/cors/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { compileRuntimeShare } from '../../config/fraction.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import { compileStringMatcher, type StringMatcher } from '../../matcher/string.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import type { Runtime } from '../../runtime.js'

/** What a policy does not say, that of the next less specific level may. */
export interface CorsConfig {
  readonly origins?: readonly StringMatcher[]
  readonly methods?: string
  readonly headers?: string
  readonly expose?: string
  readonly maxAge?: string
  readonly credentials?: boolean
  readonly privateNetwork?: boolean
  /** Preflights of other origins go upstream, unless told otherwise; then they get an answer without allow-origin. */
  readonly forwardNotMatching?: boolean
  /** As it is now. */
  readonly share: () => number
  /** Requests that are only counted. */
  readonly shadowShare: () => number
}

/** envoy.filters.http.cors: does what the CorsPolicy of a route that forwards says, nothing without one. */
export const corsFilter: HttpFilterFactory<undefined> = {
  typeNames: ['envoy.extensions.filters.http.cors.v3.Cors'],
  perRouteTypeNames: ['envoy.extensions.filters.http.cors.v3.CorsPolicy'],
  decode: () => ok(undefined),
  decodePerRoute: (config, path, deps) => compileMessage(config as CorsPolicy, path, (fields) => compile(fields, deps?.runtime)),
  create: (_config, deps, name) => (stream) =>
    stream.route?.kind === 'forward' ? createFilter(policyOf(stream.perRouteConfigs(name)), deps) : {},
  explain(_config, { head, perRouteConfigs }) {
    const policy = policyOf(perRouteConfigs)
    const origin = head.headers.get('origin')
    if (policy === undefined || origin === undefined) return undefined
    return allows(policy, origin)
      ? { outcome: isPreflight(head) ? 'reply' : 'pass', reason: `origin ${origin} is allowed` }
      : {
          outcome: 'pass',
          reason: `origin ${origin} matches none of ${(policy.origins ?? []).map(({ text }) => text).join(', ')}`,
        }
  },
}

function compile(fields: Fields<CorsPolicy>, runtime: Runtime | undefined): CorsConfig {
  const origins = fields.messages('allow_origin_string_match').map(compileStringMatcher)
  const methods = fields.string('allow_methods')
  const headers = fields.string('allow_headers')
  const expose = fields.string('expose_headers')
  const maxAge = fields.string('max_age')
  const config: CorsConfig = {
    ...(origins.length > 0 && { origins }),
    ...(methods !== '' && { methods }),
    ...(headers !== '' && { headers }),
    ...(expose !== '' && { expose }),
    ...(maxAge !== '' && { maxAge }),
    ...(fields.has('allow_credentials') && { credentials: fields.boolean('allow_credentials') }),
    ...(fields.has('allow_private_network_access') && { privateNetwork: fields.boolean('allow_private_network_access') }),
    ...(fields.has('forward_not_matching_preflights') && {
      forwardNotMatching: fields.boolean('forward_not_matching_preflights'),
    }),
    share: compileRuntimeShare(fields.message('filter_enabled'), 1, runtime),
    shadowShare: compileRuntimeShare(fields.message('shadow_enabled'), 0, runtime),
  }
  fields.done()
  return config
}

/** Field by field what the most specific level says of it; the shares are all the most specific one's. */
function policyOf(levels: readonly unknown[]): CorsConfig | undefined {
  return levels.length < 2 ? (levels[0] as CorsConfig | undefined) : Object.assign({}, ...levels.toReversed())
}

function createFilter(policy: CorsConfig | undefined, { random, stats, statPrefix = '' }: FilterDeps): HttpFilter {
  if (policy === undefined) return {}
  const chosen = (share: number): boolean => share >= 1 || (share > 0 && random.next() < share)
  const enabled = chosen(policy.share())
  if (!enabled && !chosen(policy.shadowShare())) return {}
  let allowed: string | undefined
  return {
    onRequest(request) {
      // Two origins are one that nobody allows.
      const origin = request.headers.getAll('origin').join(',')
      if (origin === '') return
      const known = allows(policy, origin)
      httpFilterCounter(stats, statPrefix, 'cors')(known ? 'origin_valid' : 'origin_invalid').inc()
      if (!enabled) return
      if (known) allowed = origin
      else return isPreflight(request) && policy.forwardNotMatching === false ? preflight(policy, request) : undefined
      return isPreflight(request) ? preflight(policy, request) : undefined
    },
    onResponse(response) {
      if (allowed !== undefined) decorate(policy, allowed, response.headers)
    },
  }
}

/** A matcher that takes `*` takes every origin. */
function allows({ origins = [] }: CorsConfig, origin: string): boolean {
  return origins.some((matcher) => matcher.matches('*') || matcher.matches(origin))
}

function isPreflight(request: Pick<HttpRequest, 'method' | 'headers'>): boolean {
  return request.method === 'OPTIONS' && (request.headers.get('access-control-request-method') ?? '') !== ''
}

function preflight(policy: CorsConfig, request: HttpRequest): LocalReply {
  const headers: (readonly [string, string])[] = []
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') headers.push([name, value])
  }
  const asked = (list: string | undefined, of: string): string | undefined => (list === '*' ? request.headers.get(of) : list)
  add('access-control-allow-methods', asked(policy.methods, 'access-control-request-method'))
  add('access-control-allow-headers', asked(policy.headers, 'access-control-request-headers'))
  if (policy.credentials) add('access-control-allow-credentials', 'true')
  add('access-control-max-age', policy.maxAge)
  if (policy.privateNetwork && request.headers.get('access-control-request-private-network') === 'true')
    add('access-control-allow-private-network', 'true')
  return { status: 200, body: '', details: 'cors_response', own: true, headers }
}

function decorate(policy: CorsConfig, origin: string, headers: HeaderMap): void {
  headers.set('access-control-allow-origin', origin)
  if (policy.credentials) headers.set('access-control-allow-credentials', 'true')
  if (policy.expose !== undefined) headers.set('access-control-expose-headers', policy.expose)
}
