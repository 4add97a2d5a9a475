import type { Clock, MetricsRegistry } from '@heddle/runtime'
import { ExportTraceServiceRequest } from '@heddle/xds-types/opentelemetry/proto/collector/trace/v1'
import { createHexId } from '../../net/uuid.js'
import type { Runtime } from '../../runtime.js'
import { createBatches, createBatchStats } from '../batches.js'
import { type Attributes, type Collector, keyValues, type OtlpDeps, sendOtlp } from '../otlp.js'
import { readW3c, writeW3c } from '../trace-context.js'
import type { Span, SpanContext, Tracer } from './span.js'

/** envoy.config.trace.v3.OpenTelemetryConfig, compiled. */
export interface OpenTelemetryProvider {
  readonly kind: 'opentelemetry'
  readonly collector: Collector
  /** Of the resource: service.name and what the detectors found. */
  readonly resource: Attributes
  /** Sample all, whatever was decided before (the always_on sampler). */
  readonly alwaysOn: boolean
}

export interface OpenTelemetryDeps extends OtlpDeps {
  readonly clock: Clock
  readonly stats: MetricsRegistry
  /** May set batches and intervals. */
  readonly runtime?: Pick<Runtime, 'number'> | undefined
}

const SERVICE = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
// Where the runtime does not say otherwise.
const BATCH = 512
const INTERVAL_MS = 5_000

/** Spans to an OTLP collector over gRPC or HTTP; W3C between proxies. */
export function createOpenTelemetryTracer(provider: OpenTelemetryProvider, deps: OpenTelemetryDeps): Tracer {
  const batches = createBatches<Span>({
    clock: deps.clock,
    stats: createBatchStats(deps.stats, 'tracing_opentelemetry', 'spans'),
    size: deps.runtime?.number('tracing.opentelemetry.min_flush_spans') ?? BATCH,
    intervalMs: deps.runtime?.number('tracing.opentelemetry.flush_interval_ms') ?? INTERVAL_MS,
    send: (spans) => sendOtlp(provider.collector, SERVICE, exportRequest(spans, provider.resource), deps),
  })
  return {
    begin(headers, _kind, sampled): SpanContext {
      const before = readW3c(headers)
      const spanId = createHexId(8)
      if (before === undefined) {
        return { traceId: createHexId(16), spanId, sampled: provider.alwaysOn || sampled, state: '', shared: false }
      }
      const decided = provider.alwaysOn || (before.sampled ?? sampled)
      return { ...before, spanId, parentId: before.spanId, sampled: decided, shared: false }
    },
    inject: writeW3c,
    report: (span) => batches.add(span),
    flush: () => batches.flush(),
  }
}

function exportRequest(spans: readonly Span[], resource: Attributes): Uint8Array {
  return ExportTraceServiceRequest.encode({
    resource_spans: [
      { resource: { attributes: keyValues(resource) }, scope_spans: [{ scope: { name: 'heddle' }, spans: spans.map(otlpSpan) }] },
    ],
  })
}

function otlpSpan({ context, kind, name, startMs, endMs, tags, error }: Span) {
  return {
    trace_id: bytesOfHex(context.traceId),
    span_id: bytesOfHex(context.spanId),
    ...(context.parentId !== undefined && { parent_span_id: bytesOfHex(context.parentId) }),
    ...(context.state !== '' && { trace_state: context.state }),
    name,
    kind: kind === 'SERVER' ? ('SPAN_KIND_SERVER' as const) : ('SPAN_KIND_CLIENT' as const),
    start_time_unix_nano: nanos(startMs),
    end_time_unix_nano: nanos(endMs),
    attributes: keyValues(tags),
    ...(error && { status: { code: 'STATUS_CODE_ERROR' as const } }),
  }
}

/** Milliseconds with a fraction as nanoseconds in text: more than a number holds. */
export function nanos(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n)
}

export function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
