import type { PluginConfig } from '@heddle/xds-types/stats'
import { compileMessage } from '../../config/fields.js'
import type { FilterDeps, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import { isGrpc } from '../../http/local-reply.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { compileStatsConfig, type StatsConfig } from '../../observe/istio-stats/config.js'
import { createLabeller, type Labeller, PEER_LABELS, STREAM_LABELS } from '../../observe/istio-stats/labels.js'
import {
  createCustomMetrics,
  createRecorder,
  type FindSeries,
  recordBuild,
  type Series,
} from '../../observe/istio-stats/recorder.js'
import { createReporting } from '../../observe/istio-stats/reporting.js'
import { GRPC_STATS, type GrpcMessages } from './grpc-stats.js'

const REQUEST_METRICS = ['requests_total', 'request_duration_milliseconds', 'request_bytes', 'response_bytes'] as const
const MESSAGE_METRICS = ['request_messages_total', 'response_messages_total'] as const

/**
 * istio.stats: Istio's standard HTTP metrics with its labels, counted when a request is over, however it ended; messages of gRPC calls
 * every `tcp_reporting_duration` as well (where grpc_stats counts them). Of each metric 10,000 series are kept apart; what comes after
 * them is counted together, as `overflow`.
 */
export const istioStatsFilter: HttpFilterFactory<StatsConfig> = {
  typeNames: ['stats.PluginConfig'],
  decode: (config, path) => compileMessage(config as PluginConfig, path, compileStatsConfig),
  create(config, deps) {
    const labeller = createLabeller(config, deps)
    const complete = createCompletion(config, deps, labeller)
    const messages = createRecorder(config, deps, MESSAGE_METRICS, PEER_LABELS)
    const reporting = createReporting(deps.clock, config.reportingMs)
    recordBuild(deps.stats, deps.node)
    return (stream) => {
      if (!isGrpc(stream.request.headers)) return { onComplete: (info) => complete(info, stream, false) }
      const call = new GrpcCall(stream, labeller, messages)
      const stop = reporting.add(() => call.report(false))
      return {
        onComplete(info) {
          stop()
          call.report(true)
          complete(info, stream, true)
        },
      }
    }
  },
}

function createCompletion(
  config: StatsConfig,
  deps: FilterDeps,
  labeller: Labeller,
): (info: StreamInfo, stream: HttpStream, grpc: boolean) => void {
  const requests = createRecorder(config, deps, REQUEST_METRICS, [...PEER_LABELS, ...STREAM_LABELS])
  const custom = config.definitions.length === 0 ? undefined : createCustomMetrics(config, deps)
  return (info, stream, grpc) => {
    const values = labeller.peers(info)
    values.push(
      grpc ? 'grpc' : 'http',
      String(info.status),
      grpc ? (info.grpcStatus ?? '') : '',
      info.flags.size === 0 ? '-' : [...info.flags].join(','),
      labeller.security(info),
    )
    const entry = entryOf(info, stream)
    // In the order of REQUEST_METRICS; by index, since taking a list apart costs more than counting.
    const series = requests(values, entry)
    const wire = stream.downstreamWire
    series[0]!(1)
    series[1]!((info.end ?? info.start) - info.start)
    series[2]!(wire?.received ?? info.bytesReceived)
    series[3]!(wire?.sent ?? info.bytesSent)
    custom?.(entry)
  }
}

const entryOf = (info: StreamInfo, { request, responseHeaders, responseTrailers }: HttpStream) => ({
  info,
  requestHeaders: request.headers,
  responseHeaders,
  responseTrailers,
})

/** Counts the messages of a call as they come, under the labels that it had when it was first known who speaks. */
class GrpcCall {
  readonly #stream: HttpStream
  readonly #labeller: Labeller
  readonly #find: FindSeries
  #series: Series | undefined
  #requests = 0
  #responses = 0

  constructor(stream: HttpStream, labeller: Labeller, find: FindSeries) {
    this.#stream = stream
    this.#labeller = labeller
    this.#find = find
  }

  report(over: boolean): void {
    const { info } = this.#stream
    const messages = info.filterState.get(GRPC_STATS) as GrpcMessages | undefined
    if (messages === undefined) return
    if (this.#series === undefined) {
      if (!over && !this.#labeller.knowsPeer(info)) return
      this.#series = this.#find(this.#labeller.peers(info), entryOf(info, this.#stream))
    }
    const [requests, responses] = this.#series
    const { request_message_count: asked, response_message_count: answered } = messages
    requests!(asked - this.#requests)
    responses!(answered - this.#responses)
    this.#requests = asked
    this.#responses = answered
  }
}
