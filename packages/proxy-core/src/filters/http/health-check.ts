import type { HealthCheck } from '@heddle/xds-types/envoy/extensions/filters/http/health_check/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { readBody } from '../../http/body.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory } from '../../http/filter.js'
import type { HttpResponse, LocalReply } from '../../http/message.js'
import { compileHeaderMatcher, type HeaderMatcher } from '../../matcher/header.js'

interface HealthCheckConfig {
  readonly passThrough: boolean
  /** 0: answers are not kept. */
  readonly cacheMs: number
  readonly minHealthyPercentages: readonly (readonly [cluster: string, percent: number])[]
  readonly headers: readonly HeaderMatcher[]
}

interface Verdict {
  readonly status: number
  readonly details: string
  readonly degraded: boolean
}

const OK: Verdict = { status: 200, details: 'health_check_ok', degraded: false }
const CLUSTERS_OK: Verdict = { ...OK, details: 'health_check_ok_cluster_healthy' }
/** A check's body is dropped; one that does not end is cut off by its size. */
const MAX_BODY_BYTES = 1024 * 1024

/**
 * envoy.filters.http.health_check: answers health checks for the program behind the proxy, by what the clusters' health or an
 * answer of a moment ago says; or passes them on and keeps the answer. 503 once `/healthcheck/fail` was asked for.
 */
export const healthCheckFilter: HttpFilterFactory<HealthCheckConfig> = {
  typeNames: ['envoy.extensions.filters.http.health_check.v3.HealthCheck'],
  decode: (config, path) => compileMessage(config as HealthCheck, path, compile),
  create(config, deps) {
    const cache = createCache(config.cacheMs, deps)
    return () => createFilter(config, cache, deps)
  },
  explain({ headers, passThrough }, { head }) {
    if (!headers.every((matcher) => matcher.matches(head))) return undefined
    return { outcome: passThrough ? 'maybe' : 'reply', reason: 'it is a health check' }
  },
}

function compile(fields: Fields<HealthCheck>): HealthCheckConfig {
  if (!fields.has('pass_through_mode')) fields.problem('is required.', 'pass_through_mode')
  const config: HealthCheckConfig = {
    passThrough: fields.boolean('pass_through_mode'),
    cacheMs: fields.durationMs('cache_time', 0),
    minHealthyPercentages: fields.map('cluster_min_healthy_percentages').map(([cluster, percent]) => {
      const value = percent.number('value')
      percent.done()
      return [cluster, value] as const
    }),
    headers: fields.messages('headers').map(compileHeaderMatcher),
  }
  if (!config.passThrough && config.cacheMs > 0) fields.problem('needs pass_through_mode.', 'cache_time')
  fields.done()
  return config
}

interface Cache {
  readonly current: Verdict | undefined
  keep(response: HttpResponse): void
}

/** The last answer of the program, for as long as it is fresh. */
function createCache(cacheMs: number, { clock }: FilterDeps): Cache {
  let kept: Verdict | undefined
  let until = 0
  return {
    get current() {
      return kept !== undefined && clock.monotonic() < until ? kept : undefined
    },
    keep({ status, headers }) {
      if (cacheMs === 0) return
      kept = { status, details: 'health_check_cached', degraded: headers.has('x-envoy-degraded') }
      until = clock.monotonic() + cacheMs
    },
  }
}

function createFilter(config: HealthCheckConfig, cache: Cache, deps: FilterDeps): HttpFilter {
  const failed = deps.healthy?.() === false
  let concerned = false
  let handling = false
  return {
    onRequest(request, { info }) {
      concerned = config.headers.every((matcher) => matcher.matches(request))
      if (!concerned) return undefined
      info.filterState.set('health_check', true)
      const cached = cache.current
      handling = !config.passThrough || failed || cached !== undefined
      if (!handling) return undefined
      const reply = replyOf(failed ? refused('health_check_failed') : (cached ?? judge(config, deps)))
      // The answer comes when the question is whole.
      return request.body.length === 0 ? reply : readBody(request.body, MAX_BODY_BYTES).then(() => reply)
    },
    onResponse(response) {
      if (concerned) {
        if (!handling) cache.keep(response)
        response.headers.set('x-envoy-upstream-healthchecked-cluster', deps.node.cluster)
      } else if (failed) response.headers.set('x-envoy-immediate-health-check-fail', 'true')
    },
  }
}

/** cluster_min_healthy_percentages: one cluster that is too ill is enough. */
function judge({ minHealthyPercentages }: HealthCheckConfig, { clusterHealth }: FilterDeps): Verdict {
  for (const [name, percent] of minHealthyPercentages) {
    const health = clusterHealth?.(name)
    if (health === undefined) return refused('health_check_failed_no_cluster_found')
    if (health.total === 0 && percent > 0) return refused('health_check_failed_cluster_empty')
    if (health.healthy < (health.total * percent) / 100) return refused('health_check_failed_cluster_unhealthy')
  }
  return minHealthyPercentages.length === 0 ? OK : CLUSTERS_OK
}

const refused = (details: string): Verdict => ({ status: 503, details, degraded: false })

function replyOf({ status, details, degraded }: Verdict): LocalReply {
  return {
    ...{ status, details, body: '' },
    ...((status < 200 || status > 299) && { flag: 'LH' }),
    ...(degraded && { headers: [['x-envoy-degraded', '']] as const }),
  }
}
