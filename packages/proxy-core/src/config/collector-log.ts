import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import type {
  CommonGrpcAccessLogConfig,
  HttpGrpcAccessLogConfig,
  TcpGrpcAccessLogConfig,
} from '@heddle/xds-types/envoy/extensions/access_loggers/grpc/v3'
import type { OpenTelemetryAccessLogConfig } from '@heddle/xds-types/envoy/extensions/access_loggers/open_telemetry/v3'
import type { AnyValue, KeyValue, KeyValueList } from '@heddle/xds-types/opentelemetry/proto/common/v1'
import { asciiLower } from '../matcher/ascii.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { AccessLogServiceConfig } from '../observe/collectors/access-log-service.js'
import type { CollectorLog, CollectorLogs } from '../observe/collectors/collector-logs.js'
import type { OpenTelemetryLogConfig } from '../observe/collectors/opentelemetry-log.js'
import { compileTextFormat } from '../observe/log-format.js'
import type { Collector } from '../observe/otlp.js'
import type { Fields } from './fields.js'
import { compileGrpcService } from './grpc-service.js'
import { compileCustomTags } from './tracing.js'
import { compileCollector } from './tracing-provider.js'

// Envoy's defaults of CommonGrpcAccessLogConfig.
const FLUSH_MS = 1_000
const BUFFER_BYTES = 16_384
/** Of OTLP records: about what 16 KiB hold. */
const RECORDS = 32

type Compile = (fields: Fields<never>, logs: CollectorLogs) => CollectorLog | undefined

/** The access loggers that call a service, by the names of their types. */
export const COLLECTOR_LOGGERS: Readonly<Record<string, Compile>> = {
  'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig': (fields, logs) => {
    const grpc = fields as Fields<HttpGrpcAccessLogConfig>
    const names = (name: Parameters<typeof grpc.strings>[0]): readonly string[] => grpc.strings(name).map(asciiLower)
    return compileService(grpc, logs, 'http', {
      requestHeaders: names('additional_request_headers_to_log'),
      responseHeaders: names('additional_response_headers_to_log'),
      responseTrailers: names('additional_response_trailers_to_log'),
    })
  },
  'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig': (fields, logs) =>
    compileService(fields as Fields<TcpGrpcAccessLogConfig>, logs, 'tcp', {
      ...{ requestHeaders: [], responseHeaders: [], responseTrailers: [] },
    }),
  'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig': (fields, logs) =>
    compileOpenTelemetry(fields as Fields<OpenTelemetryAccessLogConfig>, logs),
}

function compileService(
  fields: Fields<TcpGrpcAccessLogConfig>,
  logs: CollectorLogs,
  kind: 'http' | 'tcp',
  headers: Pick<AccessLogServiceConfig, 'requestHeaders' | 'responseHeaders' | 'responseTrailers'>,
): CollectorLog | undefined {
  const common = fields.message('common_config')
  if (common === undefined) fields.problem('is required.', 'common_config')
  const key = JSON.stringify([fields.raw('common_config'), headers])
  fields.done()
  const service = common && compileCommon(common)
  if (common === undefined || service?.service === undefined) return undefined
  return logs.accessLogService(key, { kind, ...headers, ...service, service: service.service })
}

function compileCommon(fields: Fields<CommonGrpcAccessLogConfig>) {
  const grpc = fields.message('grpc_service')
  if (grpc === undefined) fields.problem('is required.', 'grpc_service')
  const common = {
    logName: fields.string('log_name'),
    service: grpc && compileGrpcService(grpc),
    flushIntervalMs: fields.durationMs('buffer_flush_interval', FLUSH_MS),
    bufferBytes: fields.number('buffer_size_bytes', BUFFER_BYTES),
    customTags: compileCustomTags(fields),
  }
  fields.done({
    transport_api_version: 'it is v3',
    filter_state_objects_to_log: 'no filter here keeps messages of protobuf',
    grpc_stream_retry_policy: 'a stream that broke is opened again with the next entries',
  })
  return common
}

function compileOpenTelemetry(fields: Fields<OpenTelemetryAccessLogConfig>, logs: CollectorLogs): CollectorLog | undefined {
  const common = fields.message('common_config')
  const collector: Collector | undefined = compileCollector(common ?? fields)
  const logName = common?.string('log_name') ?? fields.string('log_name')
  const interval = common?.durationMs('buffer_flush_interval', FLUSH_MS) ?? fields.durationMs('buffer_flush_interval', FLUSH_MS)
  const bytes = common?.number('buffer_size_bytes', BUFFER_BYTES) ?? fields.number('buffer_size_bytes', BUFFER_BYTES)
  const tags = compileCustomTags(common ?? fields)
  const written = compileAttributes(fields.message('attributes'))
  const body = fields.message('body')
  const config = {
    resource: [
      ...(fields.boolean('disable_builtin_labels') ? [] : builtinLabels(logName, logs.node)),
      ...((fields.raw('resource_attributes') as KeyValueList | undefined)?.values ?? []),
    ],
    ...(body && { body: compileValue(body) }),
    attributes: (entry: AccessLogEntry): readonly KeyValue[] => [
      ...written(entry),
      ...tags.flatMap(({ tag, read }) => textValue(tag, read(entry))),
    ],
    flushIntervalMs: interval,
    batch: bytes === 0 ? 1 : RECORDS,
  } satisfies Omit<OpenTelemetryLogConfig, 'collector'>
  common?.done({ transport_api_version: 'it is v3', grpc_stream_retry_policy: 'an export that failed is counted and gone' })
  fields.done({
    stat_prefix: 'counters are those of all OpenTelemetry logs',
    formatters: 'every command operator is built in',
    filter_state_objects_to_log: 'no filter here keeps messages of protobuf',
  })
  const key = JSON.stringify([collector, logName, fields.raw('attributes'), fields.raw('body'), config.resource, interval, bytes])
  return collector && logs.openTelemetry(key, { collector, ...config })
}

const textValue = (key: string, text: string | undefined): KeyValue[] =>
  text === undefined ? [] : [{ key, value: { string_value: text } }]

/** Envoy's own resource attributes. */
function builtinLabels(logName: string, node: Node): KeyValue[] {
  const labels = { log_name: logName, zone_name: node.locality?.zone, cluster_name: node.cluster, node_name: node.id }
  return Object.entries(labels).flatMap(([key, text]) => textValue(key, text ?? ''))
}

function compileAttributes(fields: Fields<KeyValueList> | undefined): (entry: AccessLogEntry) => readonly KeyValue[] {
  const pairs = (fields?.messages('values') ?? []).map((pair) => {
    const [key, value] = [pair.string('key'), pair.message('value')]
    pair.done()
    return [key, value === undefined ? () => ({}) : compileValue(value)] as const
  })
  fields?.done()
  return (entry) => pairs.map(([key, read]) => ({ key, value: read(entry) }))
}

/** Texts in it are formats of access logs. */
function compileValue(fields: Fields<AnyValue>): (entry: AccessLogEntry) => AnyValue {
  if (fields.has('string_value')) {
    const path = `${fields.path}.string_value`
    const format = fields.take(compileTextFormat(fields.string('string_value'), path, { omitEmptyValues: false }))
    return (entry) => ({ string_value: format?.(entry) ?? '' })
  }
  const list = fields.message('kvlist_value')
  if (list !== undefined) {
    const read = compileAttributes(list)
    return (entry) => ({ kvlist_value: { values: read(entry) } })
  }
  const items = fields.message('array_value')
  if (items !== undefined) {
    const values = items.messages('values').map((value) => compileValue(value))
    items.done()
    return (entry) => ({ array_value: { values: values.map((read) => read(entry)) } })
  }
  for (const kind of ['bool_value', 'int_value', 'double_value', 'bytes_value'] as const) {
    if (!fields.has(kind)) continue
    const constant = { [kind]: fields.raw(kind) } as AnyValue
    return () => constant
  }
  return () => ({})
}
