import type { EnvoyFileAccessLogProvider, ExtensionProvider } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { AccessLog, AccessLogFilter } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { Build } from '../build.js'
import { typed } from '../message.js'
import type { ListenerClass } from '../proxy-headers.js'
import { accessLogProviders } from './access-log-providers.js'
import { extensionProvider } from './extension-provider.js'
import { bootstrapServiceLog, grpcAccessLog, type LoggedBy, withFormatters } from './grpc-access-log.js'

/** Istio's text format, with its line end. */
export const DEFAULT_FORMAT: string =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n'

/** Istio's JSON format: the same values by name. */
export const DEFAULT_JSON: Readonly<Record<string, string>> = {
  authority: '%REQ(:AUTHORITY)%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  duration: '%DURATION%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  request_id: '%REQ(X-REQUEST-ID)%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  response_code: '%RESPONSE_CODE%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  response_flags: '%RESPONSE_FLAGS%',
  route_name: '%ROUTE_NAME%',
  start_time: '%START_TIME%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  user_agent: '%REQ(USER-AGENT)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
}

/**
 * Logs of requests and of TCP connections: those of Telemetry resources and MeshConfig.defaultProviders.accessLogging, or, where neither says
 * anything, MeshConfig.accessLogFile with its format, and the service that the bootstrap names (enableEnvoyAccessLogService).
 */
export function accessLogs(build: Build, listener: ListenerClass, of: LoggedBy): readonly AccessLog[] | undefined {
  return build.found.of('access logs', [listener, of], () => {
    const logs = logsOf(build, listener, of)
    return logs.length === 0 ? undefined : writtenOnce(logs)
  })
}

function logsOf(build: Build, listener: ListenerClass, of: LoggedBy): readonly AccessLog[] {
  const chosen = accessLogProviders(build, listener)
  if (chosen === undefined) {
    const { accessLogFile: path, enableEnvoyAccessLogService } = build.mesh
    const file = path === '' ? [] : [fileLog({ path, log_format: meshFormat(build) })]
    return enableEnvoyAccessLogService && of !== 'tunnel' ? [...file, bootstrapServiceLog(of)] : file
  }
  return chosen.flatMap(({ name, expression }) => {
    const provider = extensionProvider(build, name)
    const log = provider === undefined ? undefined : providerLog(build, provider)
    if (log === undefined) return []
    return [expression === undefined ? log : { ...log, filter: expressionFilter(expression) }]
  })
}

/** Undefined: the provider does not log, or its service is unknown. */
function providerLog(build: Build, provider: ExtensionProvider): AccessLog | undefined {
  const file = provider.envoyFileAccessLog
  if (file === undefined) return grpcAccessLog(build, provider, DEFAULT_FORMAT)
  // Istio's own provider speaks MeshConfig's format.
  const mesh = provider.name === BUILT_IN && file.logFormat === undefined && file.omitEmptyValues !== true
  return fileLog({ path: file.path || '/dev/stdout', log_format: mesh ? meshFormat(build) : providerFormat(file) })
}

/** Logs of connections that no filter chain took, so nothing else speaks of them. */
export function listenerAccessLogs(build: Build, listener: ListenerClass): readonly AccessLog[] | undefined {
  if (build.mesh.disableEnvoyListenerLog) return undefined
  return build.found.of('listener access logs', [listener], () => {
    const logs = accessLogs(build, listener, 'listener')?.map((log) => onlyWhere(NO_ROUTE, log))
    return logs === undefined ? undefined : writtenOnce(logs)
  })
}

/** Logs of a tunnel's start or end: what is inside is logged for itself, so only what failed. */
export function tunnelAccessLogs(build: Build, listener: ListenerClass, end: 'start' | 'end'): AccessLog[] | undefined {
  return accessLogs(build, listener, 'tunnel')?.map((log) => onlyWhere(end === 'start' ? NOT_CONNECTED : REFUSED, log))
}

function onlyWhere(filter: AccessLogFilter, log: AccessLog): AccessLog {
  return { ...log, filter: log.filter === undefined ? filter : { and_filter: { filters: [filter, log.filter] } } }
}

const BUILT_IN = 'envoy'
const NO_ROUTE: AccessLogFilter = { response_flag_filter: { flags: ['NR'] } }
const NOT_CONNECTED: AccessLogFilter = { response_flag_filter: { flags: ['UF'] } }
// Envoy wants a key; nobody sets it.
const REFUSED: AccessLogFilter = {
  status_code_filter: { comparison: { op: 'GE', value: { default_value: 400, runtime_key: 'istio.io/unset' } } },
}
const CEL = 'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter'

function fileLog(config: object): AccessLog {
  return {
    name: 'envoy.access_loggers.file',
    typed_config: typed('envoy.extensions.access_loggers.file.v3.FileAccessLog', config),
  }
}

function expressionFilter(expression: string): AccessLogFilter {
  return {
    extension_filter: { name: 'envoy.access_loggers.extension_filters.cel', typed_config: typed(CEL, { expression }) },
  }
}

function meshFormat(build: Build): object {
  const { accessLogEncoding, accessLogFormat } = build.mesh
  if (accessLogEncoding !== 'JSON')
    return withFormatters({
      text_format_source: { inline_string: accessLogFormat === '' ? DEFAULT_FORMAT : withLineEnd(accessLogFormat) },
    })
  const json_format = accessLogFormat === '' ? DEFAULT_JSON : (parseObject(accessLogFormat) ?? DEFAULT_JSON)
  return withFormatters({ json_format, json_format_options: {} })
}

function providerFormat({ logFormat, omitEmptyValues }: EnvoyFileAccessLogProvider): object {
  const { labels, text = '' } = logFormat ?? {}
  const omit = omitEmptyValues === true ? { omit_empty_values: true } : {}
  if (labels === undefined)
    return withFormatters({ text_format_source: { inline_string: text === '' ? DEFAULT_FORMAT : withLineEnd(text) }, ...omit })
  const json_format = Object.keys(labels).length === 0 ? DEFAULT_JSON : labels
  return withFormatters({ json_format, json_format_options: {}, ...omit })
}

function withLineEnd(format: string): string {
  return format.endsWith('\n') ? format : `${format}\n`
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
