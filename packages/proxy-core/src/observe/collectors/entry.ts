import type { Address, Metadata, RequestMethod } from '@heddle/xds-types/envoy/config/core/v3'
import type {
  AccessLogCommon,
  HTTPAccessLogEntry,
  ResponseFlags,
  TCPAccessLogEntry,
  TLSProperties,
  TLSProperties_CertificateProperties,
} from '@heddle/xds-types/envoy/data/accesslog/v3'
import type { HeaderMap } from '../../http/header-map.js'
import type { StreamInfo } from '../../http/stream-info.js'
import { issuerNameOf, readSubjectAltNames, subjectOf } from '../../net/x509/peer-certificate.js'
import type { AccessLogEntry } from '../access-log.js'
import { accessLogType } from '../log-operators.js'
import { splitAddress } from '../operators/addresses.js'
import { requestHeadersBytes, responseHeadersBytes } from '../operators/bytes.js'
import type { CustomTag } from '../tracing/custom-tags.js'
import { momentsOf, seconds, wireBytesOf } from './measures.js'

/** What an access log service is told beside the common things. */
export interface EntryOptions {
  readonly requestHeaders: readonly string[]
  readonly responseHeaders: readonly string[]
  readonly responseTrailers: readonly string[]
  readonly customTags: readonly CustomTag[]
}

const VERSIONS = { 'HTTP/1.0': 'HTTP10', 'HTTP/1.1': 'HTTP11', 'HTTP/2': 'HTTP2', 'HTTP/3': 'HTTP3' } as const
const METHODS: ReadonlySet<string> = new Set('GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH'.split(' '))

/** One request as envoy.data.accesslog.v3.HTTPAccessLogEntry. */
export function httpEntry(entry: AccessLogEntry, options: EntryOptions): HTTPAccessLogEntry {
  const { info, requestHeaders, responseHeaders, responseTrailers } = entry
  const header = (name: string): string => requestHeaders?.get(name) ?? ''
  const method = METHODS.has(info.method) ? (info.method as RequestMethod) : 'METHOD_UNSPECIFIED'
  return {
    common_properties: common(entry, options),
    protocol_version: VERSIONS[info.protocol as keyof typeof VERSIONS] ?? 'PROTOCOL_UNSPECIFIED',
    request: {
      request_method: method,
      scheme: header('x-forwarded-proto'),
      authority: info.authority,
      path: info.path,
      user_agent: header('user-agent'),
      referer: header('referer'),
      forwarded_for: header('x-forwarded-for'),
      request_id: info.requestId ?? '',
      original_path: info.originalPath ?? header('x-envoy-original-path'),
      request_headers_bytes: requestHeadersBytes(entry),
      request_body_bytes: info.bytesReceived,
      request_headers: chosen(requestHeaders, options.requestHeaders),
    },
    response: {
      ...(info.status > 0 && { response_code: info.status }),
      response_headers_bytes: responseHeadersBytes(entry),
      response_body_bytes: info.bytesSent,
      response_headers: chosen(responseHeaders, options.responseHeaders),
      response_trailers: chosen(responseTrailers, options.responseTrailers),
      response_code_details: info.details,
    },
  }
}

/** One connection as envoy.data.accesslog.v3.TCPAccessLogEntry. */
export function tcpEntry(entry: AccessLogEntry, options: EntryOptions): TCPAccessLogEntry {
  const { info } = entry
  return {
    common_properties: common(entry, options),
    connection_properties: { received_bytes: info.bytesReceived, sent_bytes: info.bytesSent },
  }
}

function common(entry: AccessLogEntry, { customTags }: EntryOptions): AccessLogCommon {
  const { info } = entry
  const tags = customTags.flatMap(({ tag, read }) => {
    const value = read(entry)
    return value === undefined ? [] : [[tag, value] as const]
  })
  const upstream = info.endpoint?.address
  const direct = info.downstreamDirectRemote ?? info.downstreamRemote
  return {
    ...addressAs('downstream_remote_address', info.downstreamRemote),
    ...addressAs('downstream_direct_remote_address', direct),
    ...addressAs('downstream_local_address', info.downstreamLocal),
    ...addressAs('upstream_local_address', info.upstreamLocal),
    ...(upstream && { upstream_remote_address: socketAddress(upstream.address, upstream.port) }),
    ...(info.downstreamTls && { tls_properties: tlsProperties(info) }),
    start_time: new Date(info.startTime).toISOString(),
    duration: seconds((info.end ?? info.start) - info.start),
    ...momentsOf(info),
    ...wireBytesOf(entry),
    upstream_cluster: info.cluster ?? '',
    upstream_request_attempt_count: info.attempts,
    upstream_transport_failure_reason: info.upstreamTransportFailureReason ?? '',
    route_name: info.routeName ?? '',
    stream_id: info.requestId ?? '',
    response_flags: responseFlags(info.flags),
    ...(info.metadata.size > 0 && { metadata: { filter_metadata: Object.fromEntries(info.metadata) } as Metadata }),
    ...(tags.length > 0 && { custom_tags: Object.fromEntries(tags) }),
    access_log_type: accessLogType(entry),
  }
}

function chosen(headers: HeaderMap | undefined, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const values = headers?.getAll(name) ?? []
      return values.length === 0 ? [] : [[name, values.join(',')] as const]
    }),
  )
}

const socketAddress = (address: string, port: number): Address => ({ socket_address: { address, port_value: port } })

function addressAs<K extends string>(name: K, text: string | undefined): { [key in K]?: Address } {
  const { host, port } = splitAddress(text)
  if (host === undefined || host === '') return {}
  const address = port === undefined ? { pipe: { path: host } } : socketAddress(host, port)
  return { [name]: address } as { [key in K]?: Address }
}

const TLS_VERSIONS = { TLSv1: 'TLSv1', 'TLSv1.1': 'TLSv1_1', 'TLSv1.2': 'TLSv1_2', 'TLSv1.3': 'TLSv1_3' } as const

function tlsProperties({ downstreamTls, sni, tlsFingerprints }: StreamInfo): TLSProperties {
  const peer = downstreamTls?.peer
  const names: TLSProperties_CertificateProperties = {
    subject_alt_name: [...(downstreamTls?.peerUris ?? []).map((uri) => ({ uri })), ...(peer?.dns ?? []).map((dns) => ({ dns }))],
    subject: peer?.subject ?? '',
    issuer: peer === undefined ? '' : issuerNameOf(peer.der),
  }
  const own = downstreamTls?.localCertificate
  return {
    tls_version: TLS_VERSIONS[downstreamTls?.version as keyof typeof TLS_VERSIONS] ?? 'VERSION_UNSPECIFIED',
    tls_sni_hostname: sni ?? '',
    ...(own !== undefined && { local_certificate_properties: propertiesOf(own) }),
    ...(peer !== undefined && { peer_certificate_properties: names }),
    ...(tlsFingerprints?.ja3 !== undefined && { ja3_fingerprint: tlsFingerprints.ja3 }),
  }
}

function propertiesOf(der: Uint8Array): TLSProperties_CertificateProperties {
  const { uris, dns } = readSubjectAltNames(der)
  return { subject_alt_name: [...uris.map((uri) => ({ uri })), ...dns.map((name) => ({ dns: name }))], subject: subjectOf(der) }
}

const FLAGS: Readonly<Record<string, keyof ResponseFlags>> = {
  LH: 'failed_local_healthcheck',
  UH: 'no_healthy_upstream',
  UT: 'upstream_request_timeout',
  LR: 'local_reset',
  UR: 'upstream_remote_reset',
  UF: 'upstream_connection_failure',
  UC: 'upstream_connection_termination',
  UO: 'upstream_overflow',
  NR: 'no_route_found',
  DI: 'delay_injected',
  FI: 'fault_injected',
  RL: 'rate_limited',
  RLSE: 'rate_limit_service_error',
  DC: 'downstream_connection_termination',
  URX: 'upstream_retry_limit_exceeded',
  SI: 'stream_idle_timeout',
  IH: 'invalid_envoy_request_headers',
  DPE: 'downstream_protocol_error',
  UMSDR: 'upstream_max_stream_duration_reached',
  RFCF: 'response_from_cache_filter',
  NFCF: 'no_filter_config_found',
  DT: 'duration_timeout',
  UPE: 'upstream_protocol_error',
  NC: 'no_cluster_found',
  OM: 'overload_manager',
  DF: 'dns_resolution_failure',
  DR: 'downstream_remote_reset',
}

function responseFlags(flags: StreamInfo['flags']): ResponseFlags {
  const named = [...flags].flatMap((flag) => (FLAGS[flag] === undefined ? [] : [[FLAGS[flag], true] as const]))
  const unauthorized = flags.has('UAEX') ? { unauthorized_details: { reason: 'EXTERNAL_SERVICE' as const } } : {}
  return { ...Object.fromEntries(named), ...unauthorized }
}
