import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import type { AccessLog } from '@heddle/xds-types/envoy/config/accesslog/v3'
import { HTTPAccessLogEntry } from '@heddle/xds-types/envoy/data/accesslog/v3'
import { StreamAccessLogsMessage } from '@heddle/xds-types/envoy/service/accesslog/v3'
import { ExportLogsServiceRequest } from '@heddle/xds-types/opentelemetry/proto/collector/logs/v1'
import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../../http/header-map.js'
import type { StreamInfo } from '../../http/stream-info.js'
import type { AccessLogEntry } from '../access-log.js'
import { compileAccessLog } from '../compile-access-log.js'
import { createFakeCollector } from '../testing.js'
import { createCollectorLogs } from './collector-logs.js'

const TYPES = 'type.googleapis.com/envoy.extensions.access_loggers.'
const SERVICE = { grpc_service: { envoy_grpc: { cluster_name: 'als' } }, log_name: 'mesh' }
const ALS = `${TYPES}grpc.v3.HttpGrpcAccessLogConfig`
const OTEL = `${TYPES}open_telemetry.v3.OpenTelemetryAccessLogConfig`

const entry = (change: Partial<StreamInfo> = {}): AccessLogEntry => ({
  requestHeaders: createHeaderMap([
    ['x-user', 'jason'],
    ['user-agent', 'curl/8'],
    ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
  ]),
  responseHeaders: createHeaderMap([['x-served-by', 'v1']]),
  info: {
    ...{
      startTime: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
      start: 10,
      end: 22.5,
      method: 'GET',
      authority: 'reviews:9080',
      path: '/reviews',
    },
    ...{
      protocol: 'HTTP/1.1',
      status: 503,
      details: 'via_upstream',
      flags: new Set(['UF', 'URX', 'UAEX']),
      bytesReceived: 3,
      bytesSent: 4,
    },
    ...{ attempts: 2, routeName: 'default', cluster: 'c', downstreamRemote: '10.0.0.9:1', downstreamLocal: '[::1]:80' },
    ...{ requestId: 'id-1', metadata: new Map([['rbac', { verdict: 'allowed' }]]), filterState: new Map() },
    ...{ endpoint: { address: { address: '10.0.0.7', port: 9080 } } },
    ...change,
  } as unknown as StreamInfo,
})

function setUp(config: object) {
  const clock = createFakeClock()
  const collector = createFakeCollector()
  const node = { id: 'sidecar~1', cluster: 'reviews', locality: { zone: 'z1' } }
  const collectors = createCollectorLogs({ ...collector, clock, stats: createMetricsRegistry(), node })
  const message = { name: 'log', typed_config: config } as AccessLog
  const compile = () =>
    compileAccessLog(message, 'access_log[0]', { sinks: () => ({ write() {} }), random: createSeededRandom(1), collectors })
  const compiled = compile()
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
  return { clock, collector, collectors, compile, log: (one: AccessLogEntry = entry()) => compiled.value.log(one) }
}

const streamed = (bytes: Uint8Array): StreamAccessLogsMessage => {
  const decoded = StreamAccessLogsMessage.decode(bytes)
  if (!decoded.ok) throw new Error(decoded.diagnostics[0]?.message)
  return decoded.value
}

describe('the access log service', () => {
  it('hears who logs once, then batches', async () => {
    const { log, clock, collector } = setUp({ '@type': ALS, common_config: SERVICE })
    log()
    log()
    await clock.advanceAsync(1_000)
    log()
    await clock.advanceAsync(1_000)
    const [stream] = collector.streams
    expect(stream?.path).toBe('/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs')
    const [first, second] = stream?.sent.map(streamed) ?? []
    expect(first?.identifier).toMatchObject({ log_name: 'mesh', node: { id: 'sidecar~1' } })
    expect(first?.http_logs?.log_entry).toHaveLength(2)
    expect(second?.identifier).toBeUndefined()
    expect(second?.http_logs?.log_entry).toHaveLength(1)
  })

  it('CVE-2023-35942: outlives its listener: what ends after the drain, or after the stream broke, is told too', async () => {
    const { log, compile, clock, collector, collectors } = setUp({ '@type': ALS, common_config: SERVICE })
    log()
    await clock.advanceAsync(1_000)
    const next = compile()
    collector.streams[0]?.break()
    log()
    if (next.ok) next.value.log(entry())
    await collectors.flush()
    collector.streams[1]?.break()
    log()
    await collectors.flush()
    const told = collector.streams.flatMap(({ sent }) => sent.map(streamed))
    expect(told.reduce((sum, { http_logs }) => sum + (http_logs?.log_entry?.length ?? 0), 0)).toBe(4)
    expect(collector.streams).toHaveLength(3)
  })

  it('is told all that Envoy tells of a request', async () => {
    const { log, collectors, collector } = setUp({
      '@type': ALS,
      common_config: { ...SERVICE, custom_tags: [{ tag: 'user', request_header: { name: 'x-user' } }] },
      additional_request_headers_to_log: ['X-User'],
      additional_response_headers_to_log: ['x-served-by', 'x-none'],
    })
    log()
    await collectors.flush()
    const sent = streamed(collector.streams[0]?.sent[0] ?? new Uint8Array())
    const told = HTTPAccessLogEntry.toJson(sent.http_logs?.log_entry?.[0] ?? {})
    expect(told).toMatchObject({
      common_properties: {
        downstream_remote_address: { socket_address: { address: '10.0.0.9', port_value: 1 } },
        downstream_local_address: { socket_address: { address: '::1', port_value: 80 } },
        upstream_remote_address: { socket_address: { address: '10.0.0.7', port_value: 9080 } },
        start_time: '2026-01-02T03:04:05.006Z',
        duration: '0.012500s',
        upstream_cluster: 'c',
        response_flags: {
          upstream_connection_failure: true,
          upstream_retry_limit_exceeded: true,
          unauthorized_details: { reason: 'EXTERNAL_SERVICE' },
        },
        metadata: { filter_metadata: { rbac: { verdict: 'allowed' } } },
        custom_tags: { user: 'jason' },
        upstream_request_attempt_count: 2,
      },
      protocol_version: 'HTTP11',
      request: { request_method: 'GET', path: '/reviews', user_agent: 'curl/8', request_headers: { 'x-user': 'jason' } },
      response: {
        response_code: 503,
        response_body_bytes: '4',
        response_headers: { 'x-served-by': 'v1' },
        response_code_details: 'via_upstream',
      },
    })
  })

  it('a stream that broke is opened again with the next entries', async () => {
    const { log, clock, collector } = setUp({ '@type': ALS, common_config: { ...SERVICE, buffer_size_bytes: 0 } })
    log()
    await clock.advanceAsync(0)
    collector.streams[0]?.break()
    log()
    await clock.advanceAsync(0)
    expect(collector.streams.map(({ sent }) => sent.map(streamed)[0]?.identifier?.log_name)).toEqual(['mesh', 'mesh'])
  })

  it('connections are told as such', async () => {
    const { log, collectors, collector } = setUp({ '@type': `${TYPES}grpc.v3.TcpGrpcAccessLogConfig`, common_config: SERVICE })
    log(entry({ protocol: '' }))
    await collectors.flush()
    const sent = streamed(collector.streams[0]?.sent[0] ?? new Uint8Array())
    expect(sent.tcp_logs?.log_entry?.[0]?.connection_properties).toEqual({ received_bytes: '3', sent_bytes: '4' })
  })

  it('the same configuration is the same stream, whichever listener has it', async () => {
    const { log, compile, collector, collectors } = setUp({ '@type': ALS, common_config: SERVICE })
    const again = compile()
    log()
    if (again.ok) again.value.log(entry())
    await collectors.flush()
    expect(collector.streams).toHaveLength(1)
  })
})

describe('OpenTelemetry', () => {
  it('gets records with their trace', async () => {
    const { log, collectors, collector } = setUp({
      '@type': OTEL,
      common_config: SERVICE,
      body: { string_value: '%REQ(:METHOD)% %RESPONSE_CODE%' },
      attributes: {
        values: [
          { key: 'who', value: { string_value: '%REQ(X-USER)%' } },
          { key: 'n', value: { int_value: '7' } },
        ],
      },
      resource_attributes: { values: [{ key: 'team', value: { string_value: 'shop' } }] },
    })
    log()
    await collectors.flush()
    const [sent] = collector.messages
    expect(sent?.path).toBe('/opentelemetry.proto.collector.logs.v1.LogsService/Export')
    const decoded = ExportLogsServiceRequest.decode(sent?.message ?? new Uint8Array())
    const [logs] = decoded.ok ? (decoded.value.resource_logs ?? []) : []
    const text = (key: string, value: string) => ({ key, value: { string_value: value } })
    expect(logs?.resource?.attributes).toEqual([
      text('log_name', 'mesh'),
      text('zone_name', 'z1'),
      text('cluster_name', 'reviews'),
      text('node_name', 'sidecar~1'),
      text('team', 'shop'),
    ])
    expect(logs?.scope_logs?.[0]?.log_records).toEqual([
      {
        time_unix_nano: '1767323045006000000',
        body: { string_value: 'GET 503' },
        attributes: [text('who', 'jason'), { key: 'n', value: { int_value: '7' } }],
        trace_id: Buffer.from('a'.repeat(32), 'hex').toString('base64'),
        span_id: Buffer.from('b'.repeat(16), 'hex').toString('base64'),
      },
    ])
  })

  it.each([
    [{ '@type': ALS }, 'access_log[0].typed_config.common_config'],
    [{ '@type': OTEL }, 'access_log[0].typed_config'],
    [{ '@type': OTEL, common_config: SERVICE, body: { string_value: '%NOPE%' } }, 'access_log[0].typed_config.body.string_value'],
  ])('%j is refused', (config, path) => {
    const deps = { sinks: () => ({ write() {} }), random: createSeededRandom(1) }
    const collectors = createCollectorLogs({
      ...createFakeCollector(),
      clock: createFakeClock(),
      stats: createMetricsRegistry(),
      node: {},
    })
    const compiled = compileAccessLog({ name: 'log', typed_config: config } as AccessLog, 'access_log[0]', {
      ...deps,
      collectors,
    })
    expect(compiled.diagnostics.map((problem) => problem.path)).toEqual([path])
  })
})
