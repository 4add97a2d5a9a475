import type { MeshService, PortProtocol } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type {
  HttpConnectionManager,
  HttpFilter,
} from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import { httpFilters } from '../features/index.js'
import { ADS_SOURCE, defined, NO_TIMEOUT, PRESERVE_CASE, type TypedMessage, typed } from '../message.js'
import { type ListenerClass, proxyHeaders } from '../proxy-headers.js'
import { accessLogs } from '../telemetry/access-log.js'
import { managerTracing } from '../telemetry/tracing.js'
import { connectionSettings, withConnectionSettings } from './connection-settings.js'
import { idleTimeoutOf } from './tcp-proxy.js'

export interface HttpManager {
  readonly listener: ListenerClass
  readonly statPrefix: string
  /** Name of a route configuration that comes by RDS, or the configuration itself. */
  readonly routes: string | RouteConfiguration
  readonly port: number
  readonly protocol: PortProtocol
  /** See {@link HttpScope}. */
  readonly tunnelled?: boolean
  readonly knownPeer?: boolean
  readonly service?: MeshService
  /** What only this kind of listener sets. */
  readonly extra?: Omit<HttpConnectionManager, 'rds' | 'route_config' | 'scoped_routes'>
}

const MANAGER = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const UUID_REQUEST_ID = 'envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig'

/** The HTTP connection manager, with everything that Istio sets on all of them. */
export function httpManager(build: Build, manager: HttpManager): Filter {
  const { listener, routes, extra } = manager
  const { always, sometimes, http1, connections } = build.found.of('manager settings', [listener], () =>
    settingsOf(build, listener),
  )
  // By name: of an object with so many fields that come from copies alone V8 makes a hash table.
  const config: HttpConnectionManager & TypedMessage = {
    '@type': MANAGER,
    stat_prefix: manager.statPrefix,
    http_filters: filtersOf(build, manager),
    request_id_extension: always.request_id_extension,
    upgrade_configs: always.upgrade_configs,
    stream_idle_timeout: always.stream_idle_timeout,
    use_remote_address: always.use_remote_address,
    normalize_path: always.normalize_path,
    path_with_escaped_slashes_action: always.path_with_escaped_slashes_action,
    ...(typeof routes === 'string'
      ? { rds: { route_config_name: routes, config_source: ADS_SOURCE } }
      : { route_config: routes }),
    ...sometimes,
    ...extra,
    ...(http1 === undefined ? {} : { http_protocol_options: { ...extra?.http_protocol_options, ...http1 } }),
  }
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: connections === undefined ? config : withConnectionSettings(connections, config),
  }
}

/** Managers of one kind have the very same list. */
function filtersOf(
  build: Build,
  { listener, port, protocol, tunnelled = false, knownPeer = false, service }: HttpManager,
): readonly HttpFilter[] {
  return build.memo.of('HTTP filters', [listener, port, protocol, tunnelled, knownPeer, service], () =>
    writtenOnce(httpFilters({ build, listener, port, protocol, tunnelled, knownPeer, service })),
  )
}

/** What all managers of a kind of listener say. */
function settingsOf(build: Build, listener: ListenerClass) {
  const headers = proxyHeaders(build.proxyConfig, listener)
  const { tracing, sampledByRequestId } = managerTracing(build, listener)
  const idle_timeout = idleTimeoutOf(build)
  const mode = build.mesh.pathNormalization?.normalization ?? 'DEFAULT'
  return {
    always: {
      request_id_extension: writtenOnce({
        typed_config: typed(UUID_REQUEST_ID, { use_request_id_for_trace_sampling: sampledByRequestId }),
      }),
      upgrade_configs: WEBSOCKET,
      stream_idle_timeout: NO_TIMEOUT,
      use_remote_address: listener === 'gateway' || (listener === 'outbound' && build.features.useRemoteAddress),
      // MeshConfig.pathNormalization: policies and routes must see the path as the application will.
      normalize_path: mode !== 'NONE',
      path_with_escaped_slashes_action:
        mode === 'DECODE_AND_MERGE_SLASHES' ? ('UNESCAPE_AND_FORWARD' as const) : ('KEEP_UNCHANGED' as const),
    },
    sometimes: defined({
      common_http_protocol_options: idle_timeout === undefined ? undefined : { idle_timeout },
      access_log: accessLogs(build, listener, 'http'),
      tracing,
      proxy_100_continue: build.features.continueHeaders ? true : undefined,
      server_name: headers.serverName || undefined,
      server_header_transformation: headers.passServerThrough ? ('PASS_THROUGH' as const) : undefined,
      generate_request_id: headers.generateRequestId ? undefined : false,
      merge_slashes: mode === 'MERGE_SLASHES' || mode === 'DECODE_AND_MERGE_SLASHES' ? true : undefined,
      append_x_forwarded_port: headers.forwardedPort ? true : undefined,
    }),
    http1: http1Options(build),
    connections: connectionSettings(build),
  }
}

const WEBSOCKET = writtenOnce([{ upgrade_type: 'websocket' }])

/** HTTP/1.0 by istiod's switch or the node's own (metadata HTTP10); the case of header names by ProxyConfig. */
function http1Options(build: Build): HttpConnectionManager['http_protocol_options'] {
  const preserveCase = build.proxyConfig.proxyHeaders?.preserveHttp1HeaderCase === true
  const http10 = build.features.http10 || build.proxy.metadata['HTTP10'] === '1'
  if (!http10 && !preserveCase) return undefined
  return { ...(http10 ? { accept_http_10: true } : {}), ...(preserveCase ? { header_key_format: PRESERVE_CASE } : {}) }
}
