import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { ExportTraceServiceRequest } from '@heddle/xds-types/opentelemetry/proto/collector/trace/v1'
import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../../http/header-map.js'
import { createFakeCollector } from '../testing.js'
import type { OpenTelemetryProvider } from './opentelemetry.js'
import type { Span, Tracer } from './span.js'
import { createTracers } from './tracers.js'
import type { ZipkinProvider } from './zipkin.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const ZIPKIN: ZipkinProvider = {
  kind: 'zipkin',
  cluster: 'outbound|9411||zipkin',
  path: '/api/v2/spans',
  hostname: 'zipkin:9411',
  headers: [],
  longTraceIds: true,
  sharedSpans: false,
  w3c: false,
}
const OTEL: OpenTelemetryProvider = {
  kind: 'opentelemetry',
  collector: { kind: 'grpc', cluster: 'otel', timeoutMs: 0, metadata: [] },
  resource: new Map([['service.name', 'reviews.default']]),
  alwaysOn: false,
}

function setUp(provider: ZipkinProvider | OpenTelemetryProvider) {
  const clock = createFakeClock()
  const collector = createFakeCollector()
  const stats = createMetricsRegistry()
  const tracers = createTracers({ ...collector, clock, stats, serviceName: 'reviews', address: '10.0.0.7' })
  return { clock, collector, stats, tracers, tracer: tracers.of(provider) }
}

const span = (tracer: Tracer, change: Partial<Span> = {}): Span => ({
  context: tracer.begin(createHeaderMap(), 'SERVER', true),
  kind: 'SERVER',
  name: 'reviews:9080/*',
  startMs: 1_767_225_600_000.5,
  endMs: 1_767_225_600_012.75,
  tags: new Map([['http.method', 'GET']]),
  error: false,
  ...change,
})

const b3 = (sampled?: string): [string, string][] => [
  ['x-b3-traceid', TRACE],
  ['x-b3-spanid', SPAN],
  ...(sampled === undefined ? [] : [['x-b3-sampled', sampled] as [string, string]]),
]

describe('Zipkin', () => {
  it('a first span bears the lower half of its trace', () => {
    const { tracer } = setUp(ZIPKIN)
    const { traceId, spanId, parentId, sampled } = tracer.begin(createHeaderMap(), 'CLIENT', true)
    expect(traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(traceId.endsWith(spanId)).toBe(true)
    expect({ parentId, sampled }).toEqual({ parentId: undefined, sampled: true })
  })

  it.each<[string | undefined, boolean, boolean]>([
    ['1', false, true],
    ['0', true, false],
    [undefined, true, true],
    [undefined, false, false],
  ])('x-b3-sampled %s goes before our own %s', (told, own, sampled) => {
    const { tracer } = setUp(ZIPKIN)
    const context = tracer.begin(createHeaderMap(b3(told)), 'SERVER', own)
    expect(context).toMatchObject({ traceId: TRACE, parentId: SPAN, sampled, shared: false })
    expect(context.spanId).not.toBe(SPAN)
  })

  it('a decision may come without ids', () => {
    const { tracer } = setUp(ZIPKIN)
    expect(tracer.begin(createHeaderMap([['b3', '0']]), 'SERVER', true).sampled).toBe(false)
    expect(tracer.begin(createHeaderMap([['x-b3-flags', '1']]), 'SERVER', false).sampled).toBe(true)
  })

  it('a shared span is the other half of the client’s', () => {
    const { tracer } = setUp({ ...ZIPKIN, sharedSpans: true })
    expect(tracer.begin(createHeaderMap(b3('1')), 'SERVER', false)).toMatchObject({ spanId: SPAN, shared: true })
    expect(tracer.begin(createHeaderMap(b3('1')), 'CLIENT', false)).toMatchObject({ parentId: SPAN, shared: false })
  })

  it('W3C is understood and spoken only by option', () => {
    const w3c = createHeaderMap([['traceparent', `00-${TRACE}-${SPAN}-01`]])
    expect(setUp(ZIPKIN).tracer.begin(w3c, 'SERVER', false).traceId).not.toBe(TRACE)
    const { tracer } = setUp({ ...ZIPKIN, w3c: true })
    const context = tracer.begin(w3c, 'SERVER', false)
    expect(context).toMatchObject({ traceId: TRACE, parentId: SPAN, sampled: true })
    const headers = createHeaderMap()
    tracer.inject(headers, context)
    expect(headers.get('traceparent')).toBe(`00-${TRACE}-${context.spanId}-01`)
    expect(headers.get('x-b3-spanid')).toBe(context.spanId)
  })

  it('sends five at once, or fewer after five seconds', async () => {
    const { tracer, collector, clock, stats } = setUp(ZIPKIN)
    for (let i = 0; i < 6; i++) tracer.report(span(tracer))
    await clock.advanceAsync(0)
    expect(collector.calls.map(({ body }) => JSON.parse(new TextDecoder().decode(body)).length)).toEqual([5])
    await clock.advanceAsync(5_000)
    expect(collector.calls).toHaveLength(2)
    expect(collector.calls[1]).toMatchObject({
      cluster: ZIPKIN.cluster,
      method: 'POST',
      authority: 'zipkin:9411',
      path: ZIPKIN.path,
    })
    expect(stats.counter('envoy_tracing_zipkin_spans_sent', '').labels().value).toBe(6)
  })

  it('a span in JSON v2', async () => {
    const { tracer, collector } = setUp({ ...ZIPKIN, sharedSpans: true })
    const context = tracer.begin(createHeaderMap([...b3('1'), ['x-b3-parentspanid', SPAN]]), 'SERVER', true)
    tracer.report(span(tracer, { context }))
    await tracer.flush()
    expect(JSON.parse(new TextDecoder().decode(collector.calls[0]?.body))).toEqual([
      {
        traceId: TRACE,
        id: SPAN,
        parentId: SPAN,
        name: 'reviews:9080/*',
        kind: 'SERVER',
        timestamp: 1_767_225_600_000_500,
        duration: 12_250,
        localEndpoint: { serviceName: 'reviews', ipv4: '10.0.0.7' },
        shared: true,
        tags: { 'http.method': 'GET' },
      },
    ])
  })

  it('what the collector does not take is counted and gone', async () => {
    const { tracer, collector, stats } = setUp(ZIPKIN)
    collector.status = 503
    tracer.report(span(tracer))
    await tracer.flush()
    expect(stats.counter('envoy_tracing_zipkin_reports_failed', '').labels().value).toBe(1)
    expect(stats.counter('envoy_tracing_zipkin_spans_sent', '').labels().value).toBe(0)
  })
})

describe('OpenTelemetry', () => {
  it('goes on with the trace, its state and its decision', () => {
    const { tracer } = setUp(OTEL)
    const came = createHeaderMap([
      ['traceparent', `00-${TRACE}-${SPAN}-00`],
      ['tracestate', 'a=1'],
    ])
    const context = tracer.begin(came, 'SERVER', true)
    expect(context).toMatchObject({ traceId: TRACE, parentId: SPAN, sampled: false, state: 'a=1' })
    const headers = createHeaderMap()
    tracer.inject(headers, context)
    expect([headers.get('traceparent'), headers.get('tracestate')]).toEqual([`00-${TRACE}-${context.spanId}-00`, 'a=1'])
  })

  it('the always_on sampler takes what nobody wanted', () => {
    const { tracer } = setUp({ ...OTEL, alwaysOn: true })
    expect(tracer.begin(createHeaderMap([['traceparent', `00-${TRACE}-${SPAN}-00`]]), 'SERVER', false).sampled).toBe(true)
    expect(tracer.begin(createHeaderMap(), 'SERVER', false).sampled).toBe(true)
  })

  it('a span in OTLP, over gRPC', async () => {
    const { tracer, collector } = setUp(OTEL)
    const context = tracer.begin(createHeaderMap([['traceparent', `00-${TRACE}-${SPAN}-01`]]), 'SERVER', true)
    tracer.report(span(tracer, { context, error: true }))
    await tracer.flush()
    const [sent] = collector.messages
    expect(sent).toMatchObject({ cluster: 'otel', path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export' })
    const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
    expect(ExportTraceServiceRequest.decode(sent?.message ?? new Uint8Array())).toMatchObject({
      ok: true,
      value: {
        resource_spans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { string_value: 'reviews.default' } }] },
            scope_spans: [
              {
                spans: [
                  {
                    trace_id: base64(TRACE),
                    span_id: base64(context.spanId),
                    parent_span_id: base64(SPAN),
                    name: 'reviews:9080/*',
                    kind: 'SPAN_KIND_SERVER',
                    start_time_unix_nano: '1767225600000500000',
                    end_time_unix_nano: '1767225600012750000',
                    attributes: [{ key: 'http.method', value: { string_value: 'GET' } }],
                    status: { code: 'STATUS_CODE_ERROR' },
                  },
                ],
              },
            ],
          },
        ],
      },
    })
  })

  it('or over HTTP', async () => {
    const uri = { cluster: 'otel', scheme: 'http', authority: 'otel:4318', path: '/v1/traces', timeoutMs: 250 } as const
    const { tracer, collector } = setUp({ ...OTEL, collector: { kind: 'http', headers: [['x-tenant', 'a']], ...uri } })
    tracer.report(span(tracer))
    await tracer.flush()
    expect(collector.calls[0]).toMatchObject({ ...uri, method: 'POST' })
    expect(collector.calls[0]?.headers).toEqual([
      ['content-type', 'application/x-protobuf'],
      ['x-tenant', 'a'],
    ])
  })
})

it('one tracer for all who name the same provider', () => {
  const { tracers, tracer } = setUp(OTEL)
  expect(tracers.of({ ...OTEL, resource: new Map(OTEL.resource) })).toBe(tracer)
  expect(tracers.of({ ...OTEL, resource: new Map([['service.name', 'ratings']]) })).not.toBe(tracer)
})
