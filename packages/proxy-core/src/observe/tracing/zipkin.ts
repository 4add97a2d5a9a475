import type { Clock, MetricsRegistry } from '@heddle/runtime'
import { createHexId } from '../../net/uuid.js'
import type { Runtime } from '../../runtime.js'
import type { HttpClient } from '../../upstream/http-client.js'
import { createBatches, createBatchStats } from '../batches.js'
import { b3Decision, readB3, readW3c, writeB3, writeW3c } from '../trace-context.js'
import type { Span, SpanContext, Tracer } from './span.js'

/** envoy.config.trace.v3.ZipkinConfig, compiled. */
export interface ZipkinProvider {
  readonly kind: 'zipkin'
  readonly cluster: string
  /** `/api/v2/spans` */
  readonly path: string
  /** Host of the request; empty: the cluster's name. */
  readonly hostname: string
  /** Sent with every report. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Trace ids of 128 bits rather than 64. */
  readonly longTraceIds: boolean
  /** A server's span is the other half of its client's. */
  readonly sharedSpans: boolean
  /** Take and give W3C's headers beside B3. */
  readonly w3c: boolean
}

export interface ZipkinDeps {
  readonly http: HttpClient
  readonly clock: Clock
  readonly stats: MetricsRegistry
  /** May set batches and intervals. */
  readonly runtime?: Pick<Runtime, 'number'> | undefined
  /** Name of the service whose spans these are: the node's cluster. */
  readonly serviceName: string
  /** Of this machine. */
  readonly address: string
}

// Where the runtime does not say otherwise.
const BATCH = 5
const INTERVAL_MS = 5_000
const TIMEOUT_MS = 5_000

/** Spans to a Zipkin collector, JSON v2 (zipkin.io/zipkin-api); B3 between proxies. */
export function createZipkinTracer(provider: ZipkinProvider, deps: ZipkinDeps): Tracer {
  const { path, cluster } = provider
  const authority = provider.hostname === '' ? cluster : provider.hostname
  const headers = [['content-type', 'application/json'], ...provider.headers] as const
  const batches = createBatches<Span>({
    clock: deps.clock,
    stats: createBatchStats(deps.stats, 'tracing_zipkin', 'spans'),
    size: deps.runtime?.number('tracing.zipkin.min_flush_spans') ?? BATCH,
    intervalMs: deps.runtime?.number('tracing.zipkin.flush_interval_ms') ?? INTERVAL_MS,
    async send(spans) {
      const body = new TextEncoder().encode(JSON.stringify(spans.map((span) => zipkinSpan(span, deps))))
      const answer = await deps.http.call({ cluster, method: 'POST', authority, path, headers, body, timeoutMs: TIMEOUT_MS }).done
      return 'status' in answer && answer.status >= 200 && answer.status < 300
    },
  })
  return {
    namesByHost: true,
    begin(headers, kind, sampled) {
      const before = readB3(headers) ?? (provider.w3c ? readW3c(headers) : undefined)
      if (before === undefined) {
        const decision = b3Decision(headers)
        return newTrace(provider, decision === undefined ? sampled : decision !== '0')
      }
      const decided = before.sampled ?? sampled
      if (kind === 'SERVER' && provider.sharedSpans) return { ...before, sampled: decided, shared: true }
      return { ...before, spanId: createHexId(8), parentId: before.spanId, sampled: decided, shared: false }
    },
    inject(headers, context) {
      writeB3(headers, context)
      if (provider.w3c) writeW3c(headers, context)
    },
    report: (span) => batches.add(span),
    flush: () => batches.flush(),
  }
}

/** The first span of a trace bears the (lower half of the) trace's id. */
function newTrace({ longTraceIds }: ZipkinProvider, sampled: boolean): SpanContext {
  const spanId = createHexId(8)
  return { traceId: longTraceIds ? createHexId(8) + spanId : spanId, spanId, sampled, state: '', shared: false }
}

function zipkinSpan({ context, kind, name, startMs, endMs, tags }: Span, deps: ZipkinDeps): object {
  const timestamp = Math.round(startMs * 1000)
  return {
    traceId: context.traceId,
    id: context.spanId,
    ...(context.parentId !== undefined && { parentId: context.parentId }),
    name,
    kind,
    timestamp,
    // Zipkin takes 0 for unknown.
    duration: Math.max(1, Math.round(endMs * 1000) - timestamp),
    localEndpoint: { serviceName: deps.serviceName, [deps.address.includes(':') ? 'ipv6' : 'ipv4']: deps.address },
    ...(context.shared && { shared: true }),
    // As Envoy's: what is empty is left out.
    tags: Object.fromEntries([...tags].filter(([, value]) => value !== '')),
  }
}
