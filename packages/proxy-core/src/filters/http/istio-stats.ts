import type { Counter, Histogram } from '@heddle/runtime'
import type { MetricConfig, PluginConfig } from '@heddle/xds-types/stats'
import { compileMessage, type Fields } from '../../config/fields.js'
import type { FilterDeps, HttpFilterFactory } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import { isGrpc } from '../../http/local-reply.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { ENVOY_BUCKETS } from '../../observe/stats.js'
import { compileDimension, type Dimension } from './istio-stats-dimension.js'
import { COMMON_LABELS, istioLabels, type LabelContext } from './istio-stats-labels.js'
import { createKnownByValues } from './known-by-values.js'
import { workloadOf } from './workload.js'

interface StatsConfig {
  readonly hostFallback: boolean
  readonly gateway: boolean
  readonly metrics: ReadonlyMap<string, MetricOverride>
}

interface MetricOverride {
  readonly drop: boolean
  readonly removed: ReadonlySet<string>
  /** Label by label, in the order of their names. */
  readonly dimensions: ReadonlyMap<string, Dimension>
}

const UNCHANGED: MetricOverride = { drop: false, removed: new Set(), dimensions: new Map() }

/** Of each metric: Host, headers and what a peer says of itself are label values that clients choose (CVE-2025-43915). */
const MAX_SERIES = 10_000

const METRICS = ['requests_total', 'request_duration_milliseconds', 'request_bytes', 'response_bytes'] as const
type MetricName = (typeof METRICS)[number]
const HELP: Readonly<Record<MetricName, string>> = {
  requests_total: 'Requests that an Istio proxy handled.',
  request_duration_milliseconds: 'Duration of requests.',
  request_bytes: 'Size of request bodies.',
  response_bytes: 'Size of response bodies.',
}

/**
 * istio.stats: Istio's standard HTTP metrics with its labels, counted when a request is over, however it ended. Of each metric
 * 10,000 series are kept apart; what comes after them is counted together, as `overflow`.
 */
export const istioStatsFilter: HttpFilterFactory<StatsConfig> = {
  typeNames: ['stats.PluginConfig'],
  decode: (config, path) => compileMessage(config as PluginConfig, path, compile),
  create(config, deps) {
    const record = recorder(config, deps)
    const own = workloadOf(deps.node.metadata)
    const reporter = deps.direction === 'OUTBOUND' && !config.gateway ? 'source' : 'destination'
    return ({ request, connection }) => {
      const grpc = isGrpc(request.headers)
      return {
        onComplete(info) {
          const mutualTls = connection.tls?.peerVerified === true
          record(
            info,
            { reporter, own, grpc, mutualTls, service: serviceOf(info, deps), hostFallback: config.hostFallback },
            request.headers,
          )
        },
      }
    }
  },
}

function compile(fields: Fields<PluginConfig>): StatsConfig {
  const config: StatsConfig = {
    hostFallback: !fields.boolean('disable_host_header_fallback'),
    gateway: fields.choice('reporter', ['UNSPECIFIED', 'SERVER_GATEWAY'], 'UNSPECIFIED') === 'SERVER_GATEWAY',
    metrics: compileMetrics(fields.messages('metrics')),
  }
  fields.done({
    debug: 'logs only',
    max_peer_cache_size: 'there is no such cache',
    field_separator: 'labels are never joined',
    value_separator: 'labels are never joined',
    tcp_reporting_duration: 'TCP metrics are not kept yet',
    rotation_interval: 'series are never dropped',
    graceful_deletion_interval: 'series are never dropped',
  })
  return config
}

/** A metric without a name stands for all of them. */
function compileMetrics(list: readonly Fields<MetricConfig>[]): ReadonlyMap<string, MetricOverride> {
  const overrides = new Map<string, MetricOverride>()
  for (const fields of list) {
    const name = fields.string('name')
    const drop = fields.boolean('drop')
    const removed = fields.strings('tags_to_remove')
    const dimensions = compileDimensions(fields)
    for (const metric of name === '' ? METRICS : [name]) {
      const before = overrides.get(metric) ?? UNCHANGED
      overrides.set(metric, {
        drop: drop || before.drop,
        removed: new Set([...before.removed, ...removed]),
        dimensions: new Map([...before.dimensions, ...dimensions]),
      })
    }
    fields.done()
  }
  return overrides
}

function compileDimensions(fields: Fields<MetricConfig>): readonly (readonly [string, Dimension])[] {
  const raw = (fields.raw('dimensions') ?? {}) as Record<string, unknown>
  return Object.entries(raw).flatMap(([label, expression]) => {
    const compiled = fields.take(compileDimension(String(expression), `${fields.path}.dimensions[${JSON.stringify(label)}]`))
    return compiled === undefined ? [] : [[label, compiled] as const]
  })
}

type RecordRequest = (info: StreamInfo, context: LabelContext, requestHeaders: HeaderMap) => void

function recorder(config: StatsConfig, { stats }: FilterDeps): RecordRequest {
  const extra: Dimension[] = []
  const metrics = METRICS.filter((metric) => config.metrics.get(metric)?.drop !== true).map((metric) => {
    const { removed, dimensions } = config.metrics.get(metric) ?? UNCHANGED
    const standard = COMMON_LABELS.filter((label) => !removed.has(label) && !dimensions.has(label))
    const labels = [...standard, ...dimensions.keys()]
    const first = COMMON_LABELS.length + extra.length
    extra.push(...dimensions.values())
    const name = `istio_${metric}`
    const family =
      metric === 'requests_total'
        ? stats.counter(name, HELP[metric], labels, MAX_SERIES)
        : stats.histogram(name, HELP[metric], labels, ENVOY_BUCKETS, MAX_SERIES)
    return {
      metric,
      /** Where its labels stand among the values of a request. */
      columns: [...standard.map((label) => COMMON_LABELS.indexOf(label)), ...[...dimensions.keys()].map((_, i) => first + i)],
      find: (values: readonly string[]): Counter | Histogram => family.labels(...values),
    }
  })
  const unused = COMMON_LABELS.flatMap((_, i) => (metrics.some(({ columns }) => columns.includes(i)) ? [] : [i]))
  // Of one request all metrics have the same labels: they are looked up at once.
  const known = createKnownByValues<readonly (Counter | Histogram)[]>(MAX_SERIES)
  return (info, context, requestHeaders) => {
    const values = istioLabels(info, context)
    for (const i of unused) values[i] = ''
    for (const read of extra) values.push(read(info, requestHeaders) || 'unknown')
    let series = known.get(values)
    if (series === undefined) {
      series = metrics.map(({ columns, find }) => find(columns.map((i) => values[i]!)))
      known.keep(values, series)
    }
    for (let i = 0; i < series.length; i++) observe(series[i]!, metrics[i]!.metric, info)
  }
}

function observe(series: Counter | Histogram, metric: MetricName, info: StreamInfo): void {
  if ('inc' in series) series.inc()
  else if (metric === 'request_duration_milliseconds') series.observe((info.end ?? info.start) - info.start)
  else series.observe(metric === 'request_bytes' ? info.bytesReceived : info.bytesSent)
}

function serviceOf(info: StreamInfo, { clusterMetadata }: FilterDeps): LabelContext['service'] {
  const services = info.cluster === undefined ? undefined : clusterMetadata?.(info.cluster)?.['istio']?.['services']
  const first: unknown = Array.isArray(services) ? services[0] : undefined
  return typeof first === 'object' && first !== null ? (first as LabelContext['service']) : undefined
}
