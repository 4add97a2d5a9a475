import type { AccessLog } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { Build } from '../build.js'
import { typed } from '../message.js'

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

/** Logs of requests and of TCP connections (MeshConfig.accessLogFile, accessLogFormat, accessLogEncoding). */
export function accessLogs(build: Build): AccessLog[] | undefined {
  const { accessLogFile: path } = build.mesh
  return path === ''
    ? undefined
    : [
        {
          name: 'envoy.access_loggers.file',
          typed_config: typed('envoy.extensions.access_loggers.file.v3.FileAccessLog', { path, log_format: formatOf(build) }),
        },
      ]
}

/** Logs of connections that no filter chain took, so nothing else speaks of them. */
export function listenerAccessLogs(build: Build): AccessLog[] | undefined {
  if (build.mesh.disableEnvoyListenerLog) return undefined
  return accessLogs(build)?.map((log) => ({ ...log, filter: { response_flag_filter: { flags: ['NR'] } } }))
}

function formatOf(build: Build): object {
  const { accessLogEncoding, accessLogFormat } = build.mesh
  if (accessLogEncoding !== 'JSON')
    return { text_format_source: { inline_string: accessLogFormat === '' ? DEFAULT_FORMAT : withLineEnd(accessLogFormat) } }
  return {
    json_format: accessLogFormat === '' ? DEFAULT_JSON : (parseObject(accessLogFormat) ?? DEFAULT_JSON),
    json_format_options: {},
  }
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
