import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Http1ProtocolOptions, Http2ProtocolOptions } from '@heddle/xds-types/envoy/config/core/v3'
import type { HttpProtocolOptions } from '@heddle/xds-types/envoy/extensions/upstreams/http/v3'
import type { Http2Options } from '../http/h2/options.js'
import type { AutoSni } from '../upstream/auto-sni.js'
import type { CompiledCluster } from './compiled.js'
import { type Fields, fieldsOf, typedConfig } from './fields.js'
import { compileCommonHttpOptions, compileHttp1Options, compileHttp2Options, type Http1Options } from './http-options.js'

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
// Upstreams are trusted with more than clients.
const DEFAULT_RESPONSE_HEADERS_KB = 100

type UpstreamHttp = CompiledCluster['http']

interface Protocols {
  readonly protocol: UpstreamHttp['protocol']
  readonly http1: Http1Options
  readonly http2: Http2Options
}

/** How a cluster's endpoints are spoken to: its HttpProtocolOptions, or the older fields of the cluster itself. */
export function compileClusterHttp(fields: Fields<Cluster>): UpstreamHttp {
  const legacyMax = fields.number('max_requests_per_connection')
  const legacy = compileLegacy(fields)
  const legacyCommon = fields.message('common_http_protocol_options')
  const options = httpOptions(fields)
  const commonFields = options?.message('common_http_protocol_options') ?? legacyCommon
  const maxHeadersKb = maxResponseHeadersKb(commonFields)
  const common = compileCommonHttpOptions(commonFields)
  const { protocol, http1, http2 } = options === undefined ? legacy : compileProtocols(options)
  const autoSni = compileAutoSni(options)
  options?.done()
  return {
    protocol,
    ...(autoSni && { autoSni }),
    http2,
    ...(http1.http1 && { http1: http1.http1 }),
    enableTrailers: http1.enableTrailers,
    idleTimeoutMs: common.idleTimeoutMs,
    maxRequestsPerConnection: common.maxRequestsPerConnection || legacyMax,
    maxConnectionDurationMs: common.maxConnectionDurationMs,
    maxStreamDurationMs: common.maxStreamDurationMs,
    maxHeadersCount: common.maxHeadersCount,
    maxHeadersKb,
  }
}

function compileAutoSni(options: Fields<HttpProtocolOptions> | undefined): AutoSni | undefined {
  const fields = options?.message('upstream_http_protocol_options')
  if (fields === undefined) return undefined
  const autoSni: AutoSni = {
    sends: fields.boolean('auto_sni'),
    validates: fields.boolean('auto_san_validation'),
    header: fields.string('override_auto_sni_header').toLowerCase(),
  }
  fields.done()
  return autoSni.sends || autoSni.validates ? autoSni : undefined
}

function maxResponseHeadersKb(fields: Fields<{ max_response_headers_kb?: number }> | undefined): number {
  return fields?.number('max_response_headers_kb', DEFAULT_RESPONSE_HEADERS_KB) ?? DEFAULT_RESPONSE_HEADERS_KB
}

function compileLegacy(fields: Fields<Cluster>): Protocols {
  const http2 = fields.message('http2_protocol_options')
  const kinds = ['USE_CONFIGURED_PROTOCOL', 'USE_DOWNSTREAM_PROTOCOL'] as const
  const selection = fields.choice('protocol_selection', kinds, 'USE_CONFIGURED_PROTOCOL')
  const configured = http2 === undefined ? 'HTTP1' : 'HTTP2'
  return {
    protocol: selection === 'USE_DOWNSTREAM_PROTOCOL' ? 'USE_DOWNSTREAM' : configured,
    ...compileVersions(fields.message('http_protocol_options'), http2),
  }
}

function httpOptions(fields: Fields<Cluster>): Fields<HttpProtocolOptions> | undefined {
  const all = (fields.raw('typed_extension_protocol_options') ?? {}) as Record<string, unknown>
  for (const [name, value] of Object.entries(all)) {
    const config = typedConfig(value, `${fields.path}.typed_extension_protocol_options[${JSON.stringify(name)}]`)
    if (config?.typeName === HTTP_OPTIONS) return fieldsOf<HttpProtocolOptions>(config, fields as Fields<never>)
    fields.problem(`${config?.typeName ?? name} is not supported.`, 'typed_extension_protocol_options')
  }
  return undefined
}

function compileProtocols(options: Fields<HttpProtocolOptions>): Protocols {
  const explicit = options.message('explicit_http_config')
  const downstream = options.message('use_downstream_protocol_config')
  const auto = options.message('auto_config')
  const config = explicit ?? downstream ?? auto
  const http2 = config?.message('http2_protocol_options')
  const versions = compileVersions(config?.message('http_protocol_options'), http2)
  for (const each of [explicit, downstream, auto]) each?.done()
  if (explicit !== undefined) return { protocol: http2 === undefined ? 'HTTP1' : 'HTTP2', ...versions }
  return { protocol: downstream !== undefined ? 'USE_DOWNSTREAM' : auto !== undefined ? 'AUTO' : 'HTTP1', ...versions }
}

function compileVersions(
  http1: Fields<Http1ProtocolOptions> | undefined,
  http2: Fields<Http2ProtocolOptions> | undefined,
): Omit<Protocols, 'protocol'> {
  return { http1: compileHttp1Options(http1), http2: compileHttp2Options(http2) }
}
