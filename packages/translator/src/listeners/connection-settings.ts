import type { MeshProxyConfig } from '@heddle/config-model'
import type { HttpConnectionManager } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { defined, duration } from '../message.js'

export type ConnectionSettings = NonNullable<MeshProxyConfig['connectionSettings']>

const MINUTE = 60_000

/** Envoy's own advice for who faces the internet; of profile EDGE, on gateways only. */
const EDGE: ConnectionSettings = {
  listenerPerConnectionBufferLimitBytes: 32 * 1024,
  httpIdleTimeout: 60 * MINUTE,
  httpStreamIdleTimeout: 5 * MINUTE,
  httpRequestTimeout: 5 * MINUTE,
  httpRequestHeadersTimeout: MINUTE,
  httpMaxConcurrentStreams: 100,
  http2InitialStreamWindowSize: 64 * 1024,
  http2InitialConnectionWindowSize: 1024 * 1024,
  httpHeadersWithUnderscoresAction: 'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST',
  httpMergeSlashes: true,
  httpPathWithEscapedSlashesAction: 'UNESCAPE_AND_REDIRECT',
}

/** ProxyConfig.connectionSettings with its profile's defaults; undefined: nothing is said. */
export function connectionSettings({ proxyConfig, mesh, proxy }: Build): ConnectionSettings | undefined {
  const given = proxyConfig.connectionSettings ?? mesh.defaultConfig.connectionSettings
  return given?.profile === 'EDGE' && proxy.type === 'router' ? { ...EDGE, ...given } : given
}

/** A connection manager with them; they go over what the mesh says of paths. */
export function withConnectionSettings<T extends HttpConnectionManager>(settings: ConnectionSettings, manager: T): T {
  const time = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : duration(ms))
  const common = defined({
    ...manager.common_http_protocol_options,
    ...defined({
      idle_timeout: time(settings.httpIdleTimeout),
      max_connection_duration: time(settings.httpMaxConnectionDuration),
      max_stream_duration: time(settings.httpMaxStreamDuration),
      headers_with_underscores_action: underscores(settings.httpHeadersWithUnderscoresAction),
    }),
  })
  const http2 = defined({
    max_concurrent_streams: settings.httpMaxConcurrentStreams,
    initial_stream_window_size: settings.http2InitialStreamWindowSize,
    initial_connection_window_size: settings.http2InitialConnectionWindowSize,
  })
  return {
    ...manager,
    ...(Object.keys(common).length === 0 ? {} : { common_http_protocol_options: common }),
    ...(Object.keys(http2).length === 0 ? {} : { http2_protocol_options: { ...manager.http2_protocol_options, ...http2 } }),
    ...defined({
      stream_idle_timeout: time(settings.httpStreamIdleTimeout),
      request_timeout: time(settings.httpRequestTimeout),
      request_headers_timeout: time(settings.httpRequestHeadersTimeout),
      drain_timeout: time(settings.httpDrainTimeout),
      merge_slashes: settings.httpMergeSlashes,
      path_with_escaped_slashes_action: escapedSlashes(settings.httpPathWithEscapedSlashesAction),
    }),
  }
}

function underscores(action: string | undefined): 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER' | undefined {
  switch (action?.replace('HEADERS_WITH_UNDERSCORES_', '')) {
    case 'REJECT_REQUEST':
      return 'REJECT_REQUEST'
    case 'DROP_HEADER':
      return 'DROP_HEADER'
    default:
      // ALLOW is Envoy's default and the enum's zero.
      return undefined
  }
}

function escapedSlashes(action: string | undefined): HttpConnectionManager['path_with_escaped_slashes_action'] {
  switch (action) {
    case 'REJECT_REQUEST':
    case 'UNESCAPE_AND_REDIRECT':
    case 'UNESCAPE_AND_FORWARD':
    case 'KEEP_UNCHANGED':
      return action
    default:
      return undefined
  }
}
