import type {
  Http1ProtocolOptions,
  Http1ProtocolOptions_HeaderKeyFormat,
  Http2ProtocolOptions,
  HttpProtocolOptions,
  KeepaliveSettings,
} from '@heddle/xds-types/envoy/config/core/v3'
import type { PreserveCaseFormatterConfig } from '@heddle/xds-types/envoy/extensions/http/header_formatters/preserve_case/v3'
import type { Http1CodecOptions } from '../http/h1/options.js'
import { DEFAULT_HTTP2_OPTIONS, type Http2Keepalive, type Http2Options } from '../http/h2/options.js'
import { type Fields, fieldsOf } from './fields.js'

/** The idle timeout of HTTP connections where none is given. */
export const DEFAULT_IDLE_MS = 3_600_000

export interface CommonHttpOptions {
  readonly idleTimeoutMs: number
  readonly maxConnectionDurationMs: number
  readonly maxRequestsPerConnection: number
  readonly maxStreamDurationMs: number
  readonly maxHeadersCount: number
  readonly headersWithUnderscores: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER'
}

export function compileCommonHttpOptions(fields: Fields<HttpProtocolOptions> | undefined): CommonHttpOptions {
  const options: CommonHttpOptions = {
    idleTimeoutMs: fields?.durationMs('idle_timeout', DEFAULT_IDLE_MS) ?? DEFAULT_IDLE_MS,
    maxConnectionDurationMs: fields?.durationMs('max_connection_duration', 0) ?? 0,
    maxRequestsPerConnection: fields?.number('max_requests_per_connection') ?? 0,
    maxStreamDurationMs: fields?.durationMs('max_stream_duration', 0) ?? 0,
    maxHeadersCount: fields?.number('max_headers_count', 100) ?? 100,
    headersWithUnderscores:
      fields?.choice('headers_with_underscores_action', ['ALLOW', 'REJECT_REQUEST', 'DROP_HEADER'], 'ALLOW') ?? 'ALLOW',
  }
  fields?.done()
  return options
}

export interface Http1Options {
  readonly acceptHttp10: boolean
  readonly enableTrailers: boolean
  readonly http1?: Http1CodecOptions
}

export function compileHttp1Options(fields: Fields<Http1ProtocolOptions> | undefined): Http1Options {
  const options = {
    acceptHttp10: fields?.boolean('accept_http_10') ?? false,
    enableTrailers: fields?.boolean('enable_trailers') ?? false,
    ...(fields && { http1: compileHttp1Codec(fields) }),
  }
  fields?.done({
    override_stream_error_on_invalid_http_message: 'an invalid message always ends the connection',
    use_balsa_parser: 'names a parser of Envoy',
  })
  return options
}

function compileHttp1Codec(fields: Fields<Http1ProtocolOptions>): Http1CodecOptions {
  const defaultHost = fields.string('default_host_for_http_10')
  const allowChunkedLength = fields.boolean('allow_chunked_length')
  const onlyPaths = !fields.boolean('allow_absolute_url', true)
  const keyFormat = compileKeyFormat(fields.message('header_key_format'))
  return {
    ...(defaultHost !== '' && { defaultHost }),
    ...(allowChunkedLength && { allowChunkedLength }),
    ...(onlyPaths && { onlyPaths }),
    ...(keyFormat && { keyFormat }),
  }
}

const PRESERVE_CASE = 'envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig'

function compileKeyFormat(
  fields: Fields<Http1ProtocolOptions_HeaderKeyFormat> | undefined,
): Http1CodecOptions['keyFormat'] | undefined {
  if (fields === undefined) return undefined
  const proper = fields.message('proper_case_words')
  proper?.done()
  const formatter = fields.message('stateful_formatter')
  const config = formatter?.any('typed_config')
  formatter?.done({ name: 'names nothing' })
  fields.done()
  if (proper !== undefined) return 'PROPER_CASE'
  if (config?.typeName !== PRESERVE_CASE) {
    fields.problem('must be proper_case_words or the stateful formatter preserve_case.')
    return undefined
  }
  const options = fieldsOf<PreserveCaseFormatterConfig>(config, fields as Fields<never>)
  const ofEnvoy = options.choice('formatter_type_on_envoy_headers', ['DEFAULT', 'PROPER_CASE'], 'DEFAULT')
  options.done({ forward_reason_phrase: 'phrases are the standard ones' })
  return ofEnvoy === 'PROPER_CASE' ? 'PRESERVE_CASE_AND_PROPER' : 'PRESERVE_CASE'
}

/** `streamErrors`: what the manager says of invalid messages, where the options say nothing. */
export function compileHttp2Options(fields: Fields<Http2ProtocolOptions> | undefined, streamErrors = false): Http2Options {
  const d = DEFAULT_HTTP2_OPTIONS
  if (fields === undefined) return { ...d, streamErrorOnInvalidHttpMessage: streamErrors }
  const legacy = fields.boolean('stream_error_on_invalid_http_messaging', streamErrors)
  const keepalive = compileKeepalive(fields.message('connection_keepalive'))
  const options: Http2Options = {
    hpackTableSize: fields.number('hpack_table_size', d.hpackTableSize),
    maxConcurrentStreams: fields.number('max_concurrent_streams', d.maxConcurrentStreams),
    initialStreamWindowSize: fields.number('initial_stream_window_size', d.initialStreamWindowSize),
    initialConnectionWindowSize: fields.number('initial_connection_window_size', d.initialConnectionWindowSize),
    maxOutboundFrames: fields.number('max_outbound_frames', d.maxOutboundFrames),
    maxOutboundControlFrames: fields.number('max_outbound_control_frames', d.maxOutboundControlFrames),
    maxConsecutiveInboundFramesWithEmptyPayload: fields.number(
      'max_consecutive_inbound_frames_with_empty_payload',
      d.maxConsecutiveInboundFramesWithEmptyPayload,
    ),
    maxInboundPriorityFramesPerStream: fields.number(
      'max_inbound_priority_frames_per_stream',
      d.maxInboundPriorityFramesPerStream,
    ),
    maxInboundWindowUpdateFramesPerDataFrameSent: fields.number(
      'max_inbound_window_update_frames_per_data_frame_sent',
      d.maxInboundWindowUpdateFramesPerDataFrameSent,
    ),
    allowConnect: fields.boolean('allow_connect'),
    streamErrorOnInvalidHttpMessage: fields.boolean('override_stream_error_on_invalid_http_message', legacy),
    ...(keepalive && { keepalive }),
  }
  if (options.maxConcurrentStreams === 0) fields.problem('must be 1 or more.', 'max_concurrent_streams')
  fields.done({
    use_oghttp2_codec: 'names a codec of Envoy',
    allow_metadata: 'METADATA frames are an extension that no peer needs',
    max_metadata_size: 'METADATA frames are an extension that no peer needs',
  })
  return options
}

function compileKeepalive(fields: Fields<KeepaliveSettings> | undefined): Http2Keepalive | undefined {
  if (fields === undefined) return undefined
  const keepalive: Http2Keepalive = {
    intervalMs: fields.durationMs('interval', 0),
    timeoutMs: fields.durationMs('timeout', 0),
    connectionIdleIntervalMs: fields.durationMs('connection_idle_interval', 0),
  }
  fields.done({ interval_jitter: 'connections that began at different times are asked at different times' })
  if (keepalive.timeoutMs === 0) fields.problem('is required.', 'timeout')
  return keepalive
}
