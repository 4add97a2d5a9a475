import type { MetricsRegistry } from '@heddle/runtime'
import type { FilterConfig } from '@heddle/xds-types/envoy/extensions/filters/http/grpc_stats/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { transformBody } from '../../http/body-transform.js'
import type { HttpFilterFactory } from '../../http/filter.js'
import { isGrpc } from '../../http/local-reply.js'
import type { Body } from '../../http/message.js'
import { CLUSTER_LABEL, GRPC_METHOD_LABEL, GRPC_SERVICE_LABEL } from '../../observe/labels.js'
import { createMessageCounter } from './grpc-message-counter.js'

interface Method {
  readonly service: string
  readonly method: string
}

interface GrpcStatsConfig {
  readonly emitFilterState: boolean
  /** What a method is counted under; undefined: with all others. */
  named(method: Method): Method | undefined
}

/** Where `emit_filter_state` leaves {@link GrpcMessages}. */
export const GRPC_STATS = 'envoy.filters.http.grpc_stats'

export interface GrpcMessages {
  readonly request_message_count: number
  readonly response_message_count: number
}

const ALL: Method = { service: '', method: '' }

/** envoy.filters.http.grpc_stats: `cluster.<name>.grpc.[<service>.<method>.]` total, success, failure, each status, and messages. */
export const grpcStatsFilter: HttpFilterFactory<GrpcStatsConfig> = {
  typeNames: ['envoy.extensions.filters.http.grpc_stats.v3.FilterConfig'],
  decode: (config, path) =>
    compileMessage(config as FilterConfig, path, (fields) => {
      const replaceDots = fields.boolean('replace_dots_in_grpc_service_name')
      const compiled = { emitFilterState: fields.boolean('emit_filter_state'), named: compileMethods(fields, replaceDots) }
      fields.done({ enable_upstream_stats: 'the time of a call is in upstream_rq_time' })
      return compiled
    }),
  create: ({ named, emitFilterState }, deps) => {
    const count = createCounters(deps.stats)
    return ({ request, info }) => {
      if (!isGrpc(request.headers)) return {}
      const method = methodOf(request.path)
      const under = (method && named(method)) ?? ALL
      const messages = { request_message_count: 0, response_message_count: 0 }
      if (emitFilterState) info.filterState.set(GRPC_STATS, messages)
      return {
        onRequest() {
          request.body = counted(request.body, () => messages.request_message_count++)
        },
        onResponse(response) {
          response.body = counted(response.body, () => messages.response_message_count++)
        },
        onComplete({ cluster, grpcStatus }) {
          if (cluster === undefined) return
          const to = (name: string, by?: number): void => count(name, cluster, under, by)
          to('total')
          to(grpcStatus === '0' ? 'success' : 'failure')
          if (grpcStatus !== undefined && /^\d{1,2}$/.test(grpcStatus)) to(grpcStatus)
          to('request_message_count', messages.request_message_count)
          to('response_message_count', messages.response_message_count)
        },
      }
    }
  },
}

function compileMethods(fields: Fields<FilterConfig>, replaceDots: boolean): GrpcStatsConfig['named'] {
  const shown = ({ service, method }: Method): Method => ({
    service: replaceDots ? service.replaceAll('.', '_') : service,
    method,
  })
  const list = fields.message('individual_method_stats_allowlist')
  const allowed = new Set<string>()
  for (const each of list?.messages('services') ?? []) {
    for (const name of each.strings('method_names')) allowed.add(`${each.string('name')}/${name}`)
    each.done()
  }
  list?.done()
  if (fields.boolean('stats_for_all_methods')) return shown
  return (method) => (allowed.has(`${method.service}/${method.method}`) ? shown(method) : undefined)
}

/** `/package.Service/Method`. */
function methodOf(path: string): Method | undefined {
  const parts = /^\/([^/?]+)\/([^/?]+)$/.exec(path)
  return parts === null ? undefined : { service: parts[1]!, method: parts[2]! }
}

function createCounters(registry: MetricsRegistry): (name: string, cluster: string, under: Method, by?: number) => void {
  const labels = [CLUSTER_LABEL, GRPC_SERVICE_LABEL, GRPC_METHOD_LABEL]
  return (name, cluster, { service, method }, by = 1) =>
    registry
      .counter(`envoy_cluster_grpc_${name}`, "Envoy's statistics of gRPC calls.", labels)
      .labels(cluster, service, method)
      .inc(by)
}

function counted(body: Body, message: () => void): Body {
  if (body.length === 0) return body
  const count = createMessageCounter(message)
  return {
    ...transformBody(body, (sink) => ({
      data(chunk) {
        count(chunk)
        return sink.data(chunk)
      },
      end: (trailers) => sink.end(trailers),
      abort: (error) => sink.abort(error),
    })),
    length: body.length,
  }
}
