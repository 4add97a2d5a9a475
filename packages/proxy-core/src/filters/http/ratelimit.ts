import type { RateLimit, RateLimitPerRoute } from '@heddle/xds-types/envoy/extensions/filters/http/ratelimit/v3'
import { compileMessage } from '../../config/fields.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import { isGrpc } from '../../http/local-reply.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import { CLUSTER_LABEL } from '../../observe/labels.js'
import type { Descriptor } from '../../route/rate-limit.js'
import { compilePerRoute, compileRateLimitFilter, type PerRouteRateLimit, type RateLimitConfig } from './ratelimit-config.js'
import { type RateLimitVerdict, rateLimitHeaders, retryAfterSeconds, shouldRateLimit } from './ratelimit-service.js'
import { requestDescriptors } from './request-descriptors.js'

const RESOURCE_EXHAUSTED = '8'

/**
 * envoy.filters.http.ratelimit: asks a rate limit service whether a request may pass, by descriptors that the route's rate_limits
 * make of it. A service that does not answer lets it pass, unless failure_mode_deny.
 */
export const rateLimitFilter: HttpFilterFactory<RateLimitConfig> = {
  typeNames: ['envoy.extensions.filters.http.ratelimit.v3.RateLimit'],
  perRouteTypeNames: ['envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute'],
  decode: (config, path, deps) =>
    compileMessage(config as RateLimit, path, (fields) => compileRateLimitFilter(fields, deps?.runtime)),
  decodePerRoute: (config, path) => compileMessage(config as RateLimitPerRoute, path, compilePerRoute),
  create: (config, deps, name) => (stream) =>
    createFilter(config, stream.perRouteConfig(name) as PerRouteRateLimit | undefined, deps),
  explain(config, { head, perRoute }) {
    if (config.enabled() === 0) return undefined
    const domain = (perRoute as PerRouteRateLimit | undefined)?.domain || config.domain
    return { outcome: 'maybe', reason: `${config.service.cluster} decides on ${head.path}, domain ${domain}` }
  },
}

function createFilter(config: RateLimitConfig, perRoute: PerRouteRateLimit | undefined, deps: FilterDeps): HttpFilter {
  let toResponse: readonly (readonly [string, string])[] = []
  let limited = false
  return {
    onRequest(request, stream) {
      if (deps.random.next() >= config.enabled() || !concerns(config, request)) return undefined
      const descriptors = describe(config, perRoute, request, stream, deps)
      if (descriptors.length === 0) return undefined
      const domain = perRoute?.domain || config.domain
      return shouldRateLimit(config, domain, descriptors, deps.grpc).then((verdict) => {
        toResponse = responseLines(config, verdict)
        const reply = judge(config, verdict, request, stream, deps)
        limited = reply !== undefined && verdict.kind === 'over'
        return reply
      })
    },
    onResponse({ headers }, stream) {
      for (const [name, value] of toResponse) headers.append(name, value)
      if (limited) config.responseHeaders.apply(headers, entryOf(stream, headers))
    },
  }
}

const entryOf = ({ info, request }: HttpStream, responseHeaders: HeaderMap) => ({
  info,
  requestHeaders: request.headers,
  responseHeaders,
})

function concerns({ requestType }: RateLimitConfig, { headers }: HttpRequest): boolean {
  return requestType === 'both' || (requestType === 'internal') === (headers.get('x-envoy-internal') === 'true')
}

/** The route's own config, else the filter's, else the rate_limits of route and virtual host. */
function describe(
  { stage, rules }: RateLimitConfig,
  perRoute: PerRouteRateLimit | undefined,
  request: HttpRequest,
  stream: HttpStream,
  { node }: FilterDeps,
): readonly Descriptor[] {
  const own = perRoute !== undefined && perRoute.rules.length > 0 ? perRoute.rules : rules
  const virtualHost = perRoute?.virtualHost ?? 'OVERRIDE'
  return requestDescriptors({ stage, rules: own, virtualHost }, request, stream, node.cluster)
}

function judge(
  config: RateLimitConfig,
  verdict: RateLimitVerdict,
  request: HttpRequest,
  stream: HttpStream,
  { random, stats }: FilterDeps,
): LocalReply | undefined {
  const count = (name: string): void => {
    const family = `envoy_cluster_ratelimit_${config.statPrefix === '' ? '' : `${config.statPrefix}_`}${name}`
    stats
      .counter(family, "Envoy's rate limit statistics.", [CLUSTER_LABEL])
      .labels(stream.info.cluster ?? '')
      .inc()
  }
  if (verdict.metadata !== undefined) stream.info.metadata.set(config.metadataNamespace, { ...verdict.metadata })
  if (verdict.kind === 'error') {
    count('error')
    if (random.next() >= config.failureDeny()) {
      count('failure_mode_allowed')
      return undefined
    }
    return { status: config.statusOnError, body: '', details: 'rate_limiter_error', flag: 'RLSE' }
  }
  if (verdict.kind === 'over') {
    count('over_limit')
    if (random.next() < config.enforced()) return refusal(config, verdict, isGrpc(request.headers))
  } else count('ok')
  for (const [name, value] of verdict.requestHeaders) request.headers.append(name, value)
  return undefined
}

/** Whether it is refused or not: a limit in the shadow is told as well. */
function responseLines(config: RateLimitConfig, verdict: RateLimitVerdict): readonly (readonly [string, string])[] {
  const over = verdict.kind === 'over' && config.saysRateLimited
  return [
    ...verdict.responseHeaders,
    ...(over ? [['x-envoy-ratelimited', 'true'] as const] : []),
    ...(config.tellsClient ? rateLimitHeaders(verdict) : []),
  ]
}

function refusal(config: RateLimitConfig, verdict: RateLimitVerdict, grpc: boolean): LocalReply {
  const headers: [string, string][] = []
  if (config.retryAfter) headers.push(['retry-after', String(retryAfterSeconds(verdict))])
  if (grpc && config.asResourceExhausted) headers.push(['grpc-status', RESOURCE_EXHAUSTED])
  return { status: config.status, body: verdict.body, details: 'request_rate_limited', flag: 'RL', headers }
}
