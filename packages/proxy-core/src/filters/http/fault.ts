import type { Clock, Counter, Gauge, Random } from '@heddle/runtime'
import type { FaultDelay, FaultRateLimit } from '@heddle/xds-types/envoy/extensions/filters/common/fault/v3'
import type { FaultAbort, HTTPFault } from '@heddle/xds-types/envoy/extensions/filters/http/fault/v3'
import type { FractionalPercent } from '@heddle/xds-types/envoy/type/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { compileFraction } from '../../config/fraction.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import { compileHeaderMatcher, type HeaderMatcher } from '../../matcher/header.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { FAULT_LABEL, HTTP_LABEL } from '../../observe/labels.js'
import type { Runtime } from '../../runtime.js'
import { paceBody } from './paced-body.js'

interface Delay {
  /** Undefined: the request says it in x-envoy-fault-delay-request. */
  readonly ms?: number
  readonly share: () => number
}

interface Abort {
  /** Undefined: the request says it in x-envoy-fault-abort-request or x-envoy-fault-abort-grpc-request. */
  readonly reply?: LocalReply
  readonly share: () => number
}

interface RateLimit {
  /** Undefined: the request says it in x-envoy-fault-throughput-response. */
  readonly kibPerSecond?: number
  readonly share: () => number
}

export interface FaultConfig {
  readonly delay?: Delay
  readonly abort?: Abort
  /** Of the response's body. */
  readonly rateLimit?: RateLimit
  readonly headers: readonly HeaderMatcher[]
  /** Only requests to this cluster; empty: all. */
  readonly upstreamCluster: string
  /** Only requests of these nodes, by x-envoy-downstream-service-node; empty: of all. */
  readonly downstreamNodes: readonly string[]
  /** Of one manager, at a time; further ones are let off. */
  readonly maxActive: number
  /** Delays and aborts are counted for the cluster that the request says it comes from, too. */
  readonly clusterStats: boolean
  /** Dynamic metadata of requests that are delayed or aborted. */
  readonly metadata: Record<string, unknown>
}

/** envoy.filters.http.fault: delays first, then aborts. A route's own fault replaces the filter's. */
export const faultFilter: HttpFilterFactory<FaultConfig> = {
  typeNames: ['envoy.extensions.filters.http.fault.v3.HTTPFault'],
  decode: (config, path, deps) => compileMessage(config as HTTPFault, path, (fields) => compile(fields, deps?.runtime)),
  decodePerRoute: (config, path, deps) => compileMessage(config as HTTPFault, path, (fields) => compile(fields, deps?.runtime)),
  create(config, deps, name) {
    const stats = statsOf(deps)
    return (stream) => createFilter((stream.perRouteConfig(name) as FaultConfig | undefined) ?? config, deps, stats)
  },
  explain(config, { head, perRoute }) {
    const fault = (perRoute as FaultConfig | undefined) ?? config
    if (fault.abort === undefined && fault.delay === undefined) return undefined
    if (!fault.headers.every((matcher) => matcher.matches(head)))
      return { outcome: 'pass', reason: 'the headers of the fault do not match' }
    const abort = fault.abort && `aborts ${fault.abort.share() * 100} %`
    const delay = fault.delay && `delays ${fault.delay.share() * 100} %`
    const certain = fault.abort?.share() === 1 ? fault.abort.reply : undefined
    return {
      outcome: certain ? 'reply' : 'maybe',
      reason: [delay, abort].filter(Boolean).join(', '),
      ...(certain && { reply: certain }),
    }
  },
}

/** The share of a percentage, or what the runtime says under a key that the config may name. */
type ShareOf = (percentage: Fields<FractionalPercent> | undefined) => () => number

function compile(fields: Fields<HTTPFault>, runtime: Runtime | undefined): FaultConfig {
  const shareBy = (named: keyof HTTPFault & string, key: string): ShareOf => {
    const name = fields.string(named as 'abort_percent_runtime') || key
    return (percentage) => {
      const share = compileFraction(percentage, 0)
      return () => runtime?.share(name) ?? share
    }
  }
  const delayShare = shareBy('delay_percent_runtime', 'fault.http.delay.fixed_delay_percent')
  const abortShare = shareBy('abort_percent_runtime', 'fault.http.abort.abort_percent')
  const limitShare = shareBy('response_rate_limit_percent_runtime', 'fault.http.rate_limit.response_percent')
  const delay = fields.message('delay')
  const abort = fields.message('abort')
  const rateLimit = fields.message('response_rate_limit')
  const config: FaultConfig = {
    ...(delay && { delay: compileDelay(delay, delayShare) }),
    ...(abort && { abort: compileAbort(abort, abortShare) }),
    ...(rateLimit && { rateLimit: compileRateLimit(rateLimit, limitShare) }),
    headers: fields.messages('headers').map(compileHeaderMatcher),
    upstreamCluster: fields.string('upstream_cluster'),
    downstreamNodes: fields.strings('downstream_nodes'),
    maxActive: fields.number('max_active_faults', Number.POSITIVE_INFINITY),
    clusterStats: !fields.boolean('disable_downstream_cluster_stats'),
    metadata: (fields.raw('filter_metadata') as Record<string, unknown> | undefined) ?? {},
  }
  fields.done()
  return config
}

function compileDelay(fields: Fields<FaultDelay>, shareOf: ShareOf): Delay {
  const share = shareOf(fields.message('percentage'))
  const byHeader = fields.message('header_delay')
  byHeader?.done()
  const delay = byHeader === undefined ? { share, ms: fields.durationMs('fixed_delay', 0) } : { share }
  fields.done()
  return delay
}

function compileAbort(fields: Fields<FaultAbort>, shareOf: ShareOf): Abort {
  const share = shareOf(fields.message('percentage'))
  const byHeader = fields.message('header_abort')
  byHeader?.done()
  const abort =
    byHeader !== undefined
      ? { share }
      : {
          share,
          reply: fields.has('grpc_status') ? grpcAbort(fields.number('grpc_status')) : httpAbort(fields.number('http_status')),
        }
  fields.done()
  return abort
}

function compileRateLimit(fields: Fields<FaultRateLimit>, shareOf: ShareOf): RateLimit {
  const share = shareOf(fields.message('percentage'))
  const fixed = fields.message('fixed_limit')
  fields.message('header_limit')?.done()
  const limit = fixed === undefined ? { share } : { share, kibPerSecond: fixed.number('limit_kbps') }
  fixed?.done()
  fields.done()
  return limit
}

/** Clients choose them. */
const MAX_CLUSTERS = 1_000

const httpAbort = (status: number): LocalReply => ({
  status,
  body: 'fault filter abort',
  details: 'fault_filter_abort',
  flag: 'FI',
})
const grpcAbort = (status: number): LocalReply => ({ ...httpAbort(200), grpcStatus: status })

interface FaultStats {
  counter(name: string): Counter
  /** Of requests from a cluster. */
  clusterCounter(name: string, cluster: string): Counter
  readonly active: Gauge
}

function statsOf({ stats, statPrefix = '' }: FilterDeps): FaultStats {
  const help = "Envoy's http fault statistics."
  return {
    counter: httpFilterCounter(stats, statPrefix, 'fault'),
    clusterCounter: (name, cluster) =>
      stats.counter(`envoy_http_fault_${name}`, help, [HTTP_LABEL, FAULT_LABEL], MAX_CLUSTERS).labels(statPrefix, cluster),
    active: stats.gauge('envoy_http_fault_active_faults', 'Faults at work.', [HTTP_LABEL]).labels(statPrefix),
  }
}

function createFilter(config: FaultConfig, { clock, random }: FilterDeps, stats: FaultStats): HttpFilter {
  const { counter, active } = stats
  const { delay, abort, rateLimit } = config
  if (delay === undefined && abort === undefined && rateLimit === undefined) return {}
  let kibPerSecond = 0
  let counted = false
  /** A request counts once, whatever is done to it; each fault that is too much counts. */
  const admitted = (): boolean => {
    if (counted) return true
    if (active.value >= config.maxActive) {
      counter('faults_overflow').inc()
      return false
    }
    active.add(1)
    counted = true
    return true
  }
  const injected = (name: string, request: HttpRequest, { info }: HttpStream): void => {
    counter(name).inc()
    const cluster = config.clusterStats ? request.headers.get('x-envoy-downstream-service-cluster') : undefined
    if (cluster !== undefined && cluster !== '') stats.clusterCounter(name, cluster).inc()
    info.metadata.set('envoy.filters.http.fault', config.metadata)
  }
  return {
    onRequest(request, stream) {
      if (!concerns(config, request, stream)) return
      const limit = rateLimit === undefined ? 0 : limitOf(rateLimit, request, random)
      if (limit > 0 && admitted()) kibPerSecond = limit
      const delayMs = delay === undefined ? 0 : delayOf(delay, request, random)
      const delayed = delayMs > 0 && admitted()
      if (delayed) injected('delays_injected', request, stream)
      const wanted = abort === undefined ? undefined : abortOf(abort, request, random)
      const reply = wanted !== undefined && admitted() ? wanted : undefined
      if (reply !== undefined) injected('aborts_injected', request, stream)
      if (!delayed) return reply
      stream.info.flags.add('DI')
      return wait(clock, delayMs).then(() => reply)
    },
    onResponse(response) {
      if (kibPerSecond === 0) return
      counter('response_rl_injected').inc()
      response.body = paceBody(response.body, kibPerSecond, clock)
    },
    onComplete() {
      if (counted) active.add(-1)
    },
  }
}

function concerns(config: FaultConfig, request: HttpRequest, { route }: HttpStream): boolean {
  const { headers, upstreamCluster, downstreamNodes } = config
  if (downstreamNodes.length > 0) {
    const node = request.headers.get('x-envoy-downstream-service-node')
    if (node === undefined || !downstreamNodes.includes(node)) return false
  }
  if (upstreamCluster !== '' && (route?.kind !== 'forward' || route.target.cluster !== upstreamCluster)) return false
  return headers.every((matcher) => matcher.matches(request))
}

function delayOf({ ms, share }: Delay, request: HttpRequest, random: Random): number {
  const asked = ms ?? headerNumber(request, 'x-envoy-fault-delay-request') ?? 0
  return asked > 0 &&
    random.next() < cut(share(), ms === undefined ? headerNumber(request, 'x-envoy-fault-delay-request-percentage') : undefined)
    ? asked
    : 0
}

function abortOf({ reply, share }: Abort, request: HttpRequest, random: Random): LocalReply | undefined {
  if (reply !== undefined) return random.next() < share() ? reply : undefined
  const status = headerNumber(request, 'x-envoy-fault-abort-request')
  const grpc = headerNumber(request, 'x-envoy-fault-abort-grpc-request')
  const asked =
    status !== undefined && status >= 200 && status < 600 ? httpAbort(status) : grpc !== undefined ? grpcAbort(grpc) : undefined
  return asked !== undefined && random.next() < cut(share(), headerNumber(request, 'x-envoy-fault-abort-request-percentage'))
    ? asked
    : undefined
}

/** 0: no limit. */
function limitOf({ kibPerSecond, share }: RateLimit, request: HttpRequest, random: Random): number {
  const asked = kibPerSecond ?? headerNumber(request, 'x-envoy-fault-throughput-response') ?? 0
  const percent = kibPerSecond === undefined ? headerNumber(request, 'x-envoy-fault-throughput-response-percentage') : undefined
  return asked > 0 && random.next() < cut(share(), percent) ? asked : 0
}

/** A request may ask for less than is configured, never for more. */
function cut(share: number, percent: number | undefined): number {
  return percent === undefined ? share : Math.min(share, percent / 100)
}

function headerNumber(request: HttpRequest, name: string): number | undefined {
  const value = request.headers.get(name)
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve))
}
