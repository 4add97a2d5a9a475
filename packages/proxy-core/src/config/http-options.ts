import type { Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions } from '@heddle/xds-types/envoy/config/core/v3'
import type { Fields } from './fields.js'

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
  readonly allowChunkedLength: boolean
  readonly allowAbsoluteUrl: boolean
}

export function compileHttp1Options(fields: Fields<Http1ProtocolOptions> | undefined): Http1Options {
  const options = {
    acceptHttp10: fields?.boolean('accept_http_10') ?? false,
    enableTrailers: fields?.boolean('enable_trailers') ?? false,
    allowChunkedLength: fields?.boolean('allow_chunked_length') ?? false,
    allowAbsoluteUrl: fields?.boolean('allow_absolute_url', true) ?? true,
  }
  fields?.done({
    override_stream_error_on_invalid_http_message: 'an invalid message always ends the connection',
    use_balsa_parser: 'names a parser of Envoy',
  })
  return options
}

const CODEC_TUNING = 'tunes the codec, whose own defaults hold'

export function checkHttp2Options(fields: Fields<Http2ProtocolOptions> | undefined): void {
  fields?.done({
    hpack_table_size: CODEC_TUNING,
    max_concurrent_streams: CODEC_TUNING,
    initial_stream_window_size: CODEC_TUNING,
    initial_connection_window_size: CODEC_TUNING,
    max_outbound_frames: CODEC_TUNING,
    max_outbound_control_frames: CODEC_TUNING,
    max_consecutive_inbound_frames_with_empty_payload: CODEC_TUNING,
    max_inbound_priority_frames_per_stream: CODEC_TUNING,
    max_inbound_window_update_frames_per_data_frame_sent: CODEC_TUNING,
    override_stream_error_on_invalid_http_message: CODEC_TUNING,
    stream_error_on_invalid_http_messaging: CODEC_TUNING,
    use_oghttp2_codec: 'names a codec of Envoy',
    connection_keepalive: 'no pings are sent: idle timeouts end dead connections',
    allow_connect: 'upgrade_configs say what may be upgraded',
  })
}
