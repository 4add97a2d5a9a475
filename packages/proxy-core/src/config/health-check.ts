import { fromBase64 } from '@heddle/xds-types'
import type {
  HeaderValueOption,
  HealthCheck_GrpcHealthCheck,
  HealthCheck_HttpHealthCheck,
  HealthCheck_Payload,
  HealthCheck_TcpHealthCheck,
  HealthCheck as HealthCheckProto,
} from '@heddle/xds-types/envoy/config/core/v3'
import type { Int64Range } from '@heddle/xds-types/envoy/type/v3'
import { asciiLower } from '../matcher/ascii.js'
import { compileStringMatcher } from '../matcher/string.js'
import type { AccessLogSink } from '../observe/access-log.js'
import { openSink } from '../observe/open-sink.js'
import { createHeaderMutation, type HeaderMutation } from '../route/header-mutation.js'
import type { GrpcHealthCheck, HealthCheck, HttpHealthCheck, TcpHealthCheck } from '../upstream/health-check/health-check.js'
import type { CompileDeps } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileHeaderOption } from './header-options.js'

/** envoy.config.core.v3.HealthCheck. Defaults are Envoy's. */
export function compileHealthCheck(fields: Fields<HealthCheckProto>, deps: CompileDeps): HealthCheck {
  for (const name of ['timeout', 'interval', 'unhealthy_threshold', 'healthy_threshold'] as const)
    if (!fields.has(name)) fields.problem('is required.', name)
  const intervalMs = fields.durationMs('interval', 1000)
  const noTrafficIntervalMs = fields.durationMs('no_traffic_interval', 60_000)
  const unhealthyIntervalMs = fields.durationMs('unhealthy_interval', intervalMs)
  const tls = fields.message('tls_options')
  const check: HealthCheck = {
    timeoutMs: fields.durationMs('timeout', 1000),
    intervalMs,
    noTrafficIntervalMs,
    noTrafficHealthyIntervalMs: fields.durationMs('no_traffic_healthy_interval', noTrafficIntervalMs),
    unhealthyIntervalMs,
    unhealthyEdgeIntervalMs: fields.durationMs('unhealthy_edge_interval', unhealthyIntervalMs),
    healthyEdgeIntervalMs: fields.durationMs('healthy_edge_interval', intervalMs),
    initialJitterMs: fields.durationMs('initial_jitter', 0),
    intervalJitterMs: fields.durationMs('interval_jitter', 0),
    intervalJitterPercent: fields.number('interval_jitter_percent'),
    unhealthyThreshold: fields.number('unhealthy_threshold', 1),
    healthyThreshold: fields.number('healthy_threshold', 1),
    reuseConnection: fields.boolean('reuse_connection', true),
    alpn: tls?.strings('alpn_protocols') ?? [],
    ...(fields.has('transport_socket_match_criteria') && {
      socketMatch: fields.raw('transport_socket_match_criteria') as Readonly<Record<string, unknown>>,
    }),
    alwaysLogFailures: fields.boolean('always_log_health_check_failures'),
    alwaysLogSuccess: fields.boolean('always_log_health_check_success'),
    eventLogs: compileEventLogs(fields, deps),
    checker: compileChecker(fields),
  }
  tls?.done()
  fields.done({ name: 'names it for people' })
  return check
}

function compileChecker(fields: Fields<HealthCheckProto>): HealthCheck['checker'] {
  const http = fields.message('http_health_check')
  if (http !== undefined) return compileHttp(http)
  const grpc = fields.message('grpc_health_check')
  if (grpc !== undefined) return compileGrpc(grpc)
  const tcp = fields.message('tcp_health_check')
  if (tcp !== undefined) return compileTcp(tcp)
  fields.problem('needs one of http_health_check, grpc_health_check, tcp_health_check.')
  return { kind: 'TCP', send: undefined, receive: [] }
}

const METHODS = ['METHOD_UNSPECIFIED', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'] as const

function compileHttp(fields: Fields<HealthCheck_HttpHealthCheck>): HttpHealthCheck {
  const method = fields.choice('method', METHODS, 'GET')
  const send = fields.message('send')
  const service = fields.message('service_name_matcher')
  const matcher = service && compileStringMatcher(service)
  const expected = compileRanges(fields.messages('expected_statuses'), [[200, 201]])
  const retriable = compileRanges(fields.messages('retriable_statuses'), [])
  const mutation = compileMutation(fields.messages('request_headers_to_add'), fields.strings('request_headers_to_remove'))
  const check: HttpHealthCheck = {
    kind: 'HTTP',
    host: fields.string('host'),
    path: fields.string('path'),
    method: method === 'METHOD_UNSPECIFIED' ? 'GET' : method,
    http2: fields.choice('codec_client_type', ['HTTP1', 'HTTP2'], 'HTTP1') === 'HTTP2',
    body: send && compilePayload(send),
    receive: fields.messages('receive').map(compilePayload),
    responseBufferBytes: fields.number('response_buffer_size', 1024),
    addHeaders: (headers, entry) => mutation.apply(headers, entry),
    isExpected: inRanges(expected),
    isRetriable: inRanges(retriable),
    ...(matcher && { matchesService: (name: string) => matcher.matches(name) }),
  }
  fields.done()
  if (check.path === '') fields.problem('is required.', 'path')
  return check
}

function compileGrpc(fields: Fields<HealthCheck_GrpcHealthCheck>): GrpcHealthCheck {
  const mutation = compileMutation(fields.messages('initial_metadata'), [])
  const check: GrpcHealthCheck = {
    kind: 'GRPC',
    service: fields.string('service_name'),
    authority: fields.string('authority'),
    addHeaders: (headers, entry) => mutation.apply(headers, entry),
  }
  fields.done()
  return check
}

function compileTcp(fields: Fields<HealthCheck_TcpHealthCheck>): TcpHealthCheck {
  const send = fields.message('send')
  const check: TcpHealthCheck = {
    kind: 'TCP',
    send: send && compilePayload(send),
    receive: fields.messages('receive').map(compilePayload),
  }
  fields.done()
  return check
}

function compileMutation(add: readonly Fields<HeaderValueOption>[], remove: readonly string[]): HeaderMutation {
  return createHeaderMutation(add.map(compileHeaderOption), remove.map(asciiLower))
}

type Range = readonly [start: number, end: number]

/** Half open; a range outside 100 to 599 is refused, as in Envoy. */
function compileRanges(list: readonly Fields<Int64Range>[], fallback: readonly Range[]): readonly Range[] {
  if (list.length === 0) return fallback
  return list.map((fields) => {
    const range: Range = [fields.number('start'), fields.number('end')]
    fields.done()
    if (range[0] < 100 || range[1] > 600 || range[0] >= range[1]) fields.problem('must lie within [100, 600) and not be empty.')
    return range
  })
}

function inRanges(ranges: readonly Range[]): (status: number) => boolean {
  return (status) => ranges.some(([start, end]) => status >= start && status < end)
}

/** `text` is hex. */
function compilePayload(fields: Fields<HealthCheck_Payload>): Uint8Array {
  const hex = fields.string('text')
  const binary = fields.has('binary') ? fromBase64(fields.string('binary')) : undefined
  fields.done()
  if (fields.has('binary') && binary === undefined) fields.problem('must be base64.', 'binary')
  if (!/^([0-9a-fA-F]{2})*$/.test(hex)) fields.problem('must be hex.', 'text')
  return binary ?? Uint8Array.from(Buffer.from(hex, 'hex'))
}

const FILE_SINK = 'envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink'

function compileEventLogs(fields: Fields<HealthCheckProto>, { sink }: CompileDeps): readonly AccessLogSink[] {
  const logs: AccessLogSink[] = []
  const open = (file: Fields<{ event_log_path?: string }>): void => {
    const path = file.string('event_log_path')
    if (sink === undefined || path === '') return
    const opened = openSink(sink, path, '')
    if (opened.ok) logs.push(opened.value)
    else file.problem(opened.diagnostics[0]?.message ?? '', 'event_log_path')
  }
  if (fields.has('event_log_path')) open(fields)
  for (const logger of fields.messages('event_logger')) {
    const config = logger.any('typed_config')
    logger.done({ name: 'the type decides' })
    if (config?.typeName !== FILE_SINK) {
      logger.problem(`${config?.typeName ?? 'nothing'} is not supported: only the file sink is.`, 'typed_config')
      continue
    }
    const file = fieldsOf<{ event_log_path?: string }>(config, fields as Fields<never>)
    open(file)
    file.done()
  }
  return logs
}
