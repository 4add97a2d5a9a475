import type {
  ForwardProtoConfig,
  HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertConfig,
  HttpConnectionManager_InternalAddressConfig,
  HttpConnectionManager_UpgradeConfig,
} from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Percent } from '@heddle/xds-types/envoy/type/v3'
import { asciiLower } from '../matcher/ascii.js'
import { compileCidr, createCidrSet } from '../matcher/cidr.js'
import { compileAccessLogs } from './access-logs.js'
import { compileClientCert, compileClientCertMatcher } from './client-cert.js'
import type { CompileDeps, HttpManager } from './compiled.js'
import { compileEarlyHeaderMutations } from './early-header-mutation.js'
import type { Fields } from './fields.js'
import { compileHttpFilters } from './http-filters.js'
import { compileIpDetection } from './http-ip-detection.js'
import { compileLocalReply } from './http-local-reply.js'
import { compileCommonHttpOptions, compileHttp1Options, compileHttp2Options } from './http-options.js'
import { compileProxyStatus } from './proxy-status.js'
import { compileRouteTable } from './route-configuration.js'
import { compileScopedRoutes } from './scoped-routes.js'
import { compileTracing } from './tracing.js'

const REQUEST_ID = 'envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig'

/** Compiles envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager; defaults are Envoy's. */
export function compileHttpManager(fields: Fields<HttpConnectionManager>, deps: CompileDeps): HttpManager {
  const common = compileCommonHttpOptions(fields.message('common_http_protocol_options'))
  const http1 = compileHttp1Options(fields.message('http_protocol_options'))
  const streamErrors = fields.boolean('stream_error_on_invalid_http_message')
  const http2 = compileHttp2Options(fields.message('http2_protocol_options'), streamErrors)
  checkRequestId(fields)
  const localReply = compileLocalReply(fields.message('local_reply_config'), deps)
  const tracing = compileTracing(fields.message('tracing'), deps)
  const manager: HttpManager = {
    kind: 'http_connection_manager',
    path: fields.path.slice(fields.path.lastIndexOf('filters[')),
    statPrefix: fields.string('stat_prefix'),
    codec: fields.choice('codec_type', ['AUTO', 'HTTP1', 'HTTP2'], 'AUTO'),
    routes: compileRoutes(fields, deps),
    ...compileHttpFilters(fields, deps),
    accessLogs: compileAccessLogs(fields, 'access_log', deps),
    ...compileLogOptions(fields),
    ...(localReply && { localReply }),
    ...(tracing && { tracing }),
    ...compileIdentity(fields),
    ...compilePaths(fields),
    ...compileEarly(fields),
    ...compileForwardedProto(fields.message('forward_proto_config')),
    ...compileProxyStatus(fields.message('proxy_status_config')),
    stripFragment: deps.runtime?.boolean(REJECT_FRAGMENT) === false,
    headersWithUnderscores: common.headersWithUnderscores,
    timeouts: {
      idle: common.idleTimeoutMs,
      streamIdle: fields.durationMs('stream_idle_timeout', 300_000),
      request: fields.durationMs('request_timeout', 0),
      requestHeaders: fields.durationMs('request_headers_timeout', 0),
      drain: fields.durationMs('drain_timeout', 5_000),
      drainJitter: compileShare(fields.message('drain_timeout_jitter')),
      delayedClose: fields.durationMs('delayed_close_timeout', 1_000),
      maxConnectionDuration: common.maxConnectionDurationMs,
      maxStreamDuration: common.maxStreamDurationMs,
    },
    http1SafeMaxConnectionDuration: fields.boolean('http1_safe_max_connection_duration'),
    maxRequestHeadersKb: fields.number('max_request_headers_kb', 60),
    maxHeadersCount: common.maxHeadersCount,
    maxRequestsPerConnection: common.maxRequestsPerConnection,
    ...http1,
    http2,
    upgrades: compileUpgrades(fields.messages('upgrade_configs')),
    ...compileScheme(fields),
    proxy100Continue: fields.boolean('proxy_100_continue'),
  }
  fields.done({
    append_local_overload: 'nothing here is ever overloaded on purpose',
    represent_ipv4_remote_address_as_ipv4_mapped_ipv6: 'has no effect in Envoy either',
  })
  return manager
}

/** envoy.type.v3.Percent as a share of 1. */
function compileShare(fields: Fields<Percent> | undefined): number {
  const percent = fields?.number('value') ?? 0
  fields?.done()
  return percent / 100
}

/** The older spellings give way to the newer ones, as in Envoy. */
function compileLogOptions(fields: Fields<HttpConnectionManager>): Pick<HttpManager, 'logOptions'> {
  const interval = fields.durationMs('access_log_flush_interval', 0)
  const newRequest = fields.boolean('flush_access_log_on_new_request')
  const options = fields.message('access_log_options')
  const logOptions = {
    flushIntervalMs: options?.durationMs('access_log_flush_interval', 0) ?? interval,
    onNewRequest: options?.boolean('flush_access_log_on_new_request') ?? newRequest,
    onTunnel: options?.boolean('flush_log_on_tunnel_successfully_established') ?? false,
  }
  options?.done()
  const { flushIntervalMs, onNewRequest, onTunnel } = logOptions
  return flushIntervalMs > 0 || onNewRequest || onTunnel ? { logOptions } : {}
}

function compileScheme(fields: Fields<HttpConnectionManager>): Pick<HttpManager, 'schemeToOverwrite'> {
  const scheme = fields.message('scheme_header_transformation')
  const overwrite = scheme?.string('scheme_to_overwrite') ?? ''
  scheme?.done({ match_upstream: 'the scheme is that of the client' })
  if (overwrite === 'http' || overwrite === 'https') return { schemeToOverwrite: overwrite }
  if (overwrite !== '') scheme?.problem('must be http or https.', 'scheme_to_overwrite')
  return {}
}

function compileRoutes(fields: Fields<HttpConnectionManager>, deps: CompileDeps): HttpManager['routes'] {
  const inline = fields.message('route_config')
  if (inline !== undefined) return { kind: 'inline', table: compileRouteTable(inline, deps, true) }
  const scoped = fields.message('scoped_routes')
  if (scoped !== undefined) return { kind: 'scoped', ...compileScopedRoutes(scoped, deps) }
  const rds = fields.message('rds')
  const name = rds?.string('route_config_name') ?? ''
  rds?.done({ config_source: 'routes come from where the listener came from' })
  if (rds === undefined) fields.problem('needs one of route_config, rds, scoped_routes.')
  return { kind: 'rds', name }
}

/** What the manager says of client, proxy and request in headers. */
function compileIdentity(fields: Fields<HttpConnectionManager>) {
  return {
    serverName: fields.string('server_name', 'envoy') || 'envoy',
    serverHeader: fields.choice('server_header_transformation', ['OVERWRITE', 'APPEND_IF_ABSENT', 'PASS_THROUGH'], 'OVERWRITE'),
    via: fields.string('via'),
    useRemoteAddress: fields.boolean('use_remote_address'),
    addUserAgent: fields.boolean('add_user_agent'),
    ...detection(fields),
    xffNumTrustedHops: fields.number('xff_num_trusted_hops'),
    skipXffAppend: fields.boolean('skip_xff_append'),
    appendXForwardedPort: fields.boolean('append_x_forwarded_port'),
    isInternalAddress: compileInternal(fields.message('internal_address_config')),
    ...compileClientCert(fields as Fields<HttpConnectionManager_ForwardClientCertConfig>),
    ...compileClientCertMatcher(fields),
    generateRequestId: fields.boolean('generate_request_id', true),
    preserveExternalRequestId: fields.boolean('preserve_external_request_id'),
    alwaysSetRequestIdInResponse: fields.boolean('always_set_request_id_in_response'),
  } as const
}

function compileEarly(fields: Fields<HttpConnectionManager>): Pick<HttpManager, 'earlyMutations'> {
  const earlyMutations = compileEarlyHeaderMutations(fields.messages('early_header_mutation_extensions'))
  return earlyMutations.length === 0 ? {} : { earlyMutations }
}

function compileForwardedProto(fields: Fields<ForwardProtoConfig> | undefined): Pick<HttpManager, 'protoByPort'> {
  if (fields === undefined) return {}
  const protoByPort = new Map<number, 'http' | 'https'>()
  for (const port of fields.numbers('http_destination_ports')) protoByPort.set(port, 'http')
  for (const port of fields.numbers('https_destination_ports')) protoByPort.set(port, 'https')
  fields.done()
  return { protoByPort }
}

function detection(fields: Fields<HttpConnectionManager>): Pick<HttpManager, 'ipDetection'> {
  const list = fields.messages('original_ip_detection_extensions')
  if (list.length === 0) return {}
  if (fields.boolean('use_remote_address')) fields.problem('excludes use_remote_address.', 'original_ip_detection_extensions')
  if (fields.number('xff_num_trusted_hops') > 0)
    fields.problem('excludes xff_num_trusted_hops.', 'original_ip_detection_extensions')
  return { ipDetection: compileIpDetection(list) }
}

/** Istio's bootstrap switches it off; without a fragment nobody can disagree on what it hides. */
const REJECT_FRAGMENT = 'envoy.reloadable_features.http_reject_path_with_fragment'

const ESCAPED = [
  'IMPLEMENTATION_SPECIFIC_DEFAULT',
  'KEEP_UNCHANGED',
  'REJECT_REQUEST',
  'UNESCAPE_AND_REDIRECT',
  'UNESCAPE_AND_FORWARD',
] as const

function compilePaths(fields: Fields<HttpConnectionManager>) {
  const escaped = fields.choice('path_with_escaped_slashes_action', ESCAPED, 'KEEP_UNCHANGED')
  const stripMatchingHostPort = fields.boolean('strip_matching_host_port')
  const stripAnyHostPort = fields.boolean('strip_any_host_port')
  if (stripMatchingHostPort && stripAnyHostPort) fields.problem('excludes strip_matching_host_port.', 'strip_any_host_port')
  return {
    normalizePath: fields.boolean('normalize_path'),
    mergeSlashes: fields.boolean('merge_slashes'),
    escapedSlashes: escaped === 'IMPLEMENTATION_SPECIFIC_DEFAULT' ? 'KEEP_UNCHANGED' : escaped,
    stripMatchingHostPort,
    stripAnyHostPort,
    stripTrailingHostDot: fields.boolean('strip_trailing_host_dot'),
  } as const
}

/** Nothing is internal unless it is configured: not loopback, not private addresses (CVE-2024-45806). */
function compileInternal(fields: Fields<HttpConnectionManager_InternalAddressConfig> | undefined): (address: string) => boolean {
  const cidrs = fields?.messages('cidr_ranges').flatMap((each) => compileCidr(each) ?? []) ?? []
  fields?.done({ unix_sockets: 'no listener here is a Unix socket' })
  return createCidrSet(cidrs)
}

function compileUpgrades(list: readonly Fields<HttpConnectionManager_UpgradeConfig>[]): ReadonlySet<string> {
  const upgrades = new Set<string>()
  const seen = new Set<string>()
  for (const fields of list) {
    const type = asciiLower(fields.string('upgrade_type'))
    if (seen.has(type)) fields.problem(`${type} is there twice.`, 'upgrade_type')
    seen.add(type)
    if (fields.boolean('enabled', true)) upgrades.add(type)
    fields.done()
  }
  return upgrades
}

function checkRequestId(fields: Fields<HttpConnectionManager>): void {
  const extension = fields.message('request_id_extension')
  const config = extension?.any('typed_config')
  if (config !== undefined && config.typeName !== REQUEST_ID)
    extension?.problem(`${config.typeName} is not supported: only uuid is.`, 'typed_config')
  extension?.done()
}
