import type { EnvoyAlsProvider, EnvoyOtelAlsProvider, ExtensionProvider } from '@heddle/config-model'
import type { AccessLog } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { CommonGrpcAccessLogConfig } from '@heddle/xds-types/envoy/extensions/access_loggers/grpc/v3'
import type { Build } from '../build.js'
import { defined, typed } from '../message.js'
import { lookupService } from '../service-lookup.js'

/** What istio.metadata_exchange leaves about the peers, and what Envoys before Istio 1.24 called it. */
const PEERS: readonly string[] = ['upstream_peer', 'downstream_peer']
const OLD_PEERS: readonly string[] = [
  'wasm.upstream_peer',
  'wasm.upstream_peer_id',
  'wasm.downstream_peer',
  'wasm.downstream_peer_id',
]

/**
 * Logs that are streamed to a service: Envoy's access log service for HTTP and TCP, or OpenTelemetry's. Undefined: the provider is none of them, or nobody
 * knows its service. `text` is what OpenTelemetry's body is where the provider gives none.
 */
export function grpcAccessLog(build: Build, provider: ExtensionProvider, text: string): AccessLog | undefined {
  if (provider.envoyHttpAls !== undefined) return httpLog(build, provider.envoyHttpAls)
  if (provider.envoyTcpAls !== undefined) return tcpLog(build, provider.envoyTcpAls)
  return provider.envoyOtelAls === undefined ? undefined : otelLog(build, provider.envoyOtelAls, text)
}

/** What writes a log: a connection manager, a TCP proxy, a listener, or a tunnel's start or end. */
export type LoggedBy = 'http' | 'tcp' | 'listener' | 'tunnel'

/** To the service of ProxyConfig.envoyAccessLogService, whose cluster is in the bootstrap. */
export function bootstrapServiceLog(of: Exclude<LoggedBy, 'tunnel'>): AccessLog {
  const common_config: CommonGrpcAccessLogConfig = {
    log_name: `${of}_envoy_accesslog`,
    grpc_service: { envoy_grpc: { cluster_name: 'envoy_accesslog_service' } },
    transport_api_version: 'V3',
    filter_state_objects_to_log: [...PEERS, ...OLD_PEERS],
  }
  const [name, type] =
    of === 'http' ? ['envoy.access_loggers.http_grpc', 'HttpGrpcAccessLogConfig'] : [TCP_GRPC, 'TcpGrpcAccessLogConfig']
  return { name, typed_config: typed(`envoy.extensions.access_loggers.grpc.v3.${type}`, { common_config }) }
}

const TCP_GRPC = 'envoy.tcp_grpc_access_log'

function httpLog(build: Build, provider: EnvoyAlsProvider): AccessLog | undefined {
  const common_config = common(build, provider, 'http_envoy_accesslog')
  if (common_config === undefined) return undefined
  const config = {
    common_config,
    additional_request_headers_to_log: listed(provider.additionalRequestHeadersToLog),
    additional_response_headers_to_log: listed(provider.additionalResponseHeadersToLog),
    additional_response_trailers_to_log: listed(provider.additionalResponseTrailersToLog),
  }
  return {
    name: 'envoy.access_loggers.http_grpc',
    typed_config: typed('envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig', config),
  }
}

function tcpLog(build: Build, provider: EnvoyAlsProvider): AccessLog | undefined {
  const common_config = common(build, provider, 'tcp_envoy_accesslog')
  if (common_config === undefined) return undefined
  return {
    name: TCP_GRPC,
    typed_config: typed('envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig', { common_config }),
  }
}

function otelLog(build: Build, provider: EnvoyOtelAlsProvider, text: string): AccessLog | undefined {
  const common_config = common(build, provider, 'otel_envoy_accesslog', [...PEERS, ...OLD_PEERS])
  if (common_config === undefined) return undefined
  const { text: own = '', labels = {} } = provider.logFormat ?? {}
  const body = own === '' ? text : own
  const values = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value: { string_value: typeof value === 'string' ? value : '' } }))
  const config = {
    common_config,
    disable_builtin_labels: true,
    body: { string_value: body },
    attributes: values.length === 0 ? undefined : { values },
    formatters: formatters(JSON.stringify([body, values])),
  }
  return {
    name: 'envoy.access_loggers.open_telemetry',
    typed_config: typed('envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig', config),
  }
}

function common(
  build: Build,
  { service, port, logName = '', ...provider }: EnvoyAlsProvider | EnvoyOtelAlsProvider,
  defaultName: string,
  objects = PEERS,
): CommonGrpcAccessLogConfig | undefined {
  const found = lookupService(build, service, port)
  if (found === undefined) return undefined
  const own = 'filterStateObjectsToLog' in provider ? listed(provider.filterStateObjectsToLog) : undefined
  return {
    log_name: logName === '' ? defaultName : logName,
    grpc_service: { envoy_grpc: { cluster_name: found.cluster, authority: found.hostname } },
    transport_api_version: 'V3',
    filter_state_objects_to_log: own ?? objects,
  }
}

/** A command that is an extension of Envoy has to be named beside the format. */
export function withFormatters<F extends object>(format: F): F {
  return defined({ ...format, formatters: formatters(JSON.stringify(format)) })
}

function formatters(format: string): readonly object[] | undefined {
  if (!format.includes('%REQ_WITHOUT_QUERY')) return undefined
  const type = 'envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery'
  return [{ name: 'envoy.formatter.req_without_query', typed_config: typed(type) }]
}

function listed(names: readonly string[] | undefined): readonly string[] | undefined {
  return names === undefined || names.length === 0 ? undefined : names
}
