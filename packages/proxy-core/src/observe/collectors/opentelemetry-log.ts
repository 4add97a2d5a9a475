import { ExportLogsServiceRequest } from '@heddle/xds-types/opentelemetry/proto/collector/logs/v1'
import type { AnyValue, KeyValue } from '@heddle/xds-types/opentelemetry/proto/common/v1'
import type { LogRecord } from '@heddle/xds-types/opentelemetry/proto/logs/v1'
import type { AccessLogEntry } from '../access-log.js'
import { createBatches, createBatchStats } from '../batches.js'
import { type Collector, sendOtlp } from '../otlp.js'
import { readTraceContext } from '../trace-context.js'
import { bytesOfHex, nanos } from '../tracing/opentelemetry.js'
import type { CollectorLog, CollectorLogDeps } from './collector-logs.js'

/** OpenTelemetryAccessLogConfig, compiled. */
export interface OpenTelemetryLogConfig {
  readonly collector: Collector
  readonly resource: readonly KeyValue[]
  body?(entry: AccessLogEntry): AnyValue
  attributes(entry: AccessLogEntry): readonly KeyValue[]
  readonly flushIntervalMs: number
  /** Of how many records; 1: each at once. */
  readonly batch: number
}

const SERVICE = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'

/** A log over OTLP. */
export function createOpenTelemetryLog(config: OpenTelemetryLogConfig, deps: CollectorLogDeps): CollectorLog {
  const batches = createBatches<LogRecord>({
    clock: deps.clock,
    stats: createBatchStats(deps.stats, 'access_logs_open_telemetry_access_log', 'logs'),
    size: config.batch,
    intervalMs: config.flushIntervalMs,
    send: (records) => sendOtlp(config.collector, SERVICE, exportRequest(records, config.resource), deps),
  })
  return { log: (entry) => batches.add(record(entry, config)), flush: () => batches.flush() }
}

function exportRequest(records: readonly LogRecord[], resource: readonly KeyValue[]): Uint8Array {
  return ExportLogsServiceRequest.encode({
    resource_logs: [{ resource: { attributes: resource }, scope_logs: [{ log_records: records }] }],
  })
}

function record(entry: AccessLogEntry, { body, attributes }: OpenTelemetryLogConfig): LogRecord {
  const trace = entry.requestHeaders && readTraceContext(entry.requestHeaders)
  return {
    time_unix_nano: nanos(entry.info.startTime),
    ...(body && { body: body(entry) }),
    attributes: attributes(entry),
    ...(trace && { trace_id: bytesOfHex(trace.traceId.padStart(32, '0')), span_id: bytesOfHex(trace.spanId) }),
  }
}
