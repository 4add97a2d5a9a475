import type { Clock, Random } from '@heddle/runtime'
import type { FaultDelay } from '@heddle/xds-types/envoy/extensions/filters/common/fault/v3'
import type { FaultAbort, HTTPFault } from '@heddle/xds-types/envoy/extensions/filters/http/fault/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { compileFraction } from '../../config/fraction.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import { compileHeaderMatcher, type HeaderMatcher } from '../../matcher/header.js'

interface Delay {
  /** Undefined: the request says it in x-envoy-fault-delay-request. */
  readonly ms?: number
  readonly share: number
}

interface Abort {
  /** Undefined: the request says it in x-envoy-fault-abort-request or x-envoy-fault-abort-grpc-request. */
  readonly reply?: LocalReply
  readonly share: number
}

export interface FaultConfig {
  readonly delay?: Delay
  readonly abort?: Abort
  readonly headers: readonly HeaderMatcher[]
  /** Only requests to this cluster; empty: all. */
  readonly upstreamCluster: string
}

/** envoy.filters.http.fault: delays first, then aborts. A route's own fault replaces the filter's. */
export const faultFilter: HttpFilterFactory<FaultConfig> = {
  typeNames: ['envoy.extensions.filters.http.fault.v3.HTTPFault'],
  decode: (config, path) => compileMessage(config as HTTPFault, path, compile),
  decodePerRoute: (config, path) => compileMessage(config as HTTPFault, path, compile),
  create: (config, deps, name) => (stream) =>
    createFilter((stream.perRouteConfig(name) as FaultConfig | undefined) ?? config, deps),
  explain(config, { head, perRoute }) {
    const fault = (perRoute as FaultConfig | undefined) ?? config
    if (fault.abort === undefined && fault.delay === undefined) return undefined
    if (!fault.headers.every((matcher) => matcher.matches(head)))
      return { outcome: 'pass', reason: 'the headers of the fault do not match' }
    const abort = fault.abort && `aborts ${fault.abort.share * 100} %`
    const delay = fault.delay && `delays ${fault.delay.share * 100} %`
    const certain = fault.abort?.share === 1 ? fault.abort.reply : undefined
    return {
      outcome: certain ? 'reply' : 'maybe',
      reason: [delay, abort].filter(Boolean).join(', '),
      ...(certain && { reply: certain }),
    }
  },
}

function compile(fields: Fields<HTTPFault>): FaultConfig {
  const delay = fields.message('delay')
  const abort = fields.message('abort')
  const config: FaultConfig = {
    ...(delay && { delay: compileDelay(delay) }),
    ...(abort && { abort: compileAbort(abort) }),
    headers: fields.messages('headers').map(compileHeaderMatcher),
    upstreamCluster: fields.string('upstream_cluster'),
  }
  fields.done({ disable_downstream_cluster_stats: 'names statistics', filter_metadata: 'nothing here reads it' })
  return config
}

function compileDelay(fields: Fields<FaultDelay>): Delay {
  const share = compileFraction(fields.message('percentage'), 0)
  const byHeader = fields.message('header_delay')
  byHeader?.done()
  const delay = byHeader === undefined ? { share, ms: fields.durationMs('fixed_delay', 0) } : { share }
  fields.done()
  return delay
}

function compileAbort(fields: Fields<FaultAbort>): Abort {
  const share = compileFraction(fields.message('percentage'), 0)
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

const httpAbort = (status: number): LocalReply => ({
  status,
  body: 'fault filter abort',
  details: 'fault_filter_abort',
  flag: 'FI',
})
const grpcAbort = (status: number): LocalReply => ({ ...httpAbort(200), headers: [['grpc-status', String(status)]] })

function createFilter(config: FaultConfig, { clock, random }: FilterDeps): HttpFilter {
  if (config.delay === undefined && config.abort === undefined) return {}
  return {
    onRequest(request, stream) {
      if (!concerns(config, request, stream)) return
      const delayMs = config.delay === undefined ? 0 : delayOf(config.delay, request, random)
      const reply = config.abort === undefined ? undefined : abortOf(config.abort, request, random)
      if (delayMs === 0) return reply
      stream.info.flags.add('DI')
      return wait(clock, delayMs).then(() => reply)
    },
  }
}

function concerns({ headers, upstreamCluster }: FaultConfig, request: HttpRequest, { route }: HttpStream): boolean {
  if (upstreamCluster !== '' && (route?.kind !== 'forward' || route.target.cluster !== upstreamCluster)) return false
  return headers.every((matcher) => matcher.matches(request))
}

function delayOf({ ms, share }: Delay, request: HttpRequest, random: Random): number {
  const asked = ms ?? headerNumber(request, 'x-envoy-fault-delay-request') ?? 0
  return asked > 0 &&
    random.next() < cut(share, ms === undefined ? headerNumber(request, 'x-envoy-fault-delay-request-percentage') : undefined)
    ? asked
    : 0
}

function abortOf({ reply, share }: Abort, request: HttpRequest, random: Random): LocalReply | undefined {
  if (reply !== undefined) return random.next() < share ? reply : undefined
  const status = headerNumber(request, 'x-envoy-fault-abort-request')
  const grpc = headerNumber(request, 'x-envoy-fault-abort-grpc-request')
  const asked =
    status !== undefined && status >= 200 && status < 600
      ? httpAbort(status)
      : grpc !== undefined && grpc <= 16
        ? grpcAbort(grpc)
        : undefined
  return asked !== undefined && random.next() < cut(share, headerNumber(request, 'x-envoy-fault-abort-request-percentage'))
    ? asked
    : undefined
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
