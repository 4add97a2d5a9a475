import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { StreamInfo } from '../http/stream-info.js'
import type { AccessLogEntry } from './access-log.js'
import { longFlag } from './response-flags.js'
import { compileTimeFormat } from './start-time.js'
import { readTraceContext } from './trace-context.js'

/** What a command operator yields; undefined: `-` in text, null in JSON. */
export type LogValue = string | number | object | undefined
export type Operator = (entry: AccessLogEntry) => LogValue

type Make = (args: string, path: string) => Result<Operator>

/** Compiles one command operator of Envoy's access log language (docs: configuration/observability/access_log/usage). */
export function compileOperator(command: string, args: string | undefined, path: string): Result<Operator> {
  const simple = Object.hasOwn(SIMPLE, command) ? SIMPLE[command] : undefined
  if (simple !== undefined) {
    if (args !== undefined && args !== '')
      return fail(problem('log.format', path, `%${command}% takes no argument, found (${args}).`))
    return ok(simple)
  }
  const make = Object.hasOwn(WITH_ARGUMENTS, command) ? WITH_ARGUMENTS[command] : undefined
  if (make === undefined) return fail(problem('log.format', path, `%${command}% is no command operator that this proxy knows.`))
  return make(args ?? '', path)
}

const present = (value: string | undefined): string | undefined => (value === undefined || value === '' ? undefined : value)
const ofInfo =
  (read: (info: StreamInfo) => LogValue): Operator =>
  (entry) =>
    read(entry.info)
const addressed = (read: (info: StreamInfo) => string | undefined): { whole: Operator; host: Operator; port: Operator } => ({
  whole: ofInfo((info) => present(read(info))),
  host: ofInfo((info) => present(splitAddress(read(info)).host)),
  port: ofInfo((info) => splitAddress(read(info)).port),
})

const downstreamRemote = addressed((info) => info.downstreamRemote)
const downstreamDirect = addressed((info) => info.downstreamDirectRemote ?? info.downstreamRemote)
const downstreamLocal = addressed((info) => info.downstreamLocal)
const upstreamLocal = addressed((info) => info.upstreamLocal)
/** Known once connected; UPSTREAM_HOST is known when an endpoint was chosen. */
const upstreamRemote = addressed((info) => (info.upstreamLocal === undefined ? undefined : upstreamAddress(info)))
const duration = ofInfo((info) => (info.end === undefined ? undefined : Math.floor(info.end - info.start)))

const SIMPLE: Readonly<Record<string, Operator>> = {
  PROTOCOL: ofInfo((info) => present(info.protocol)),
  RESPONSE_CODE: ofInfo((info) => info.status),
  RESPONSE_CODE_DETAILS: ofInfo((info) => present(info.details.replaceAll(' ', '_'))),
  // The string `-` in JSON, too: it is the name of "no flags", not an absent value.
  ACCESS_LOG_TYPE: ofInfo((info) => (info.protocol === '' ? 'TcpConnectionEnd' : 'DownstreamEnd')),
  // Empty texts, not absent values: no filter sets flags of its own, and replies are formatted before they are logged.
  CUSTOM_FLAGS: () => '',
  LOCAL_REPLY_BODY: ({ localReplyBody = '' }) => localReplyBody,
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: () => undefined,
  RESPONSE_FLAGS: ofInfo((info) => (info.flags.size === 0 ? '-' : [...info.flags].join(','))),
  RESPONSE_FLAGS_LONG: ofInfo((info) => (info.flags.size === 0 ? '-' : [...info.flags].map(longFlag).join(','))),
  CONNECTION_TERMINATION_DETAILS: () => undefined,
  BYTES_RECEIVED: ofInfo((info) => info.bytesReceived),
  BYTES_SENT: ofInfo((info) => info.bytesSent),
  DURATION: duration,
  UPSTREAM_PROTOCOL: ofInfo((info) => info.upstreamProtocol),
  UPSTREAM_HOST: ofInfo(upstreamAddress),
  UPSTREAM_HOST_NAME: ofInfo((info) => info.endpoint?.hostname ?? upstreamAddress(info)),
  UPSTREAM_TLS_VERSION: ofInfo((info) => info.upstreamTls?.version),
  UPSTREAM_TLS_CIPHER: ofInfo((info) => info.upstreamTls?.cipher),
  UPSTREAM_PEER_SUBJECT: ofInfo((info) => present(info.upstreamTls?.peer?.subject)),
  UPSTREAM_PEER_DNS_SAN: ofInfo((info) => present(info.upstreamTls?.peer?.dns.join(','))),
  UPSTREAM_PEER_SERIAL: ofInfo((info) => info.upstreamTls?.peer?.serial),
  UPSTREAM_PEER_FINGERPRINT_256: ofInfo((info) => info.upstreamTls?.peer?.hash),
  UPSTREAM_PEER_URI_SAN: ofInfo((info) => present(info.upstreamPeerPrincipal)),
  UPSTREAM_LOCAL_URI_SAN: ofInfo((info) => present(info.upstreamLocalPrincipal)),
  UPSTREAM_CLUSTER: ofInfo((info) => present(info.cluster)),
  UPSTREAM_CLUSTER_RAW: ofInfo((info) => present(info.cluster)),
  UPSTREAM_LOCAL_ADDRESS: upstreamLocal.whole,
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: upstreamLocal.host,
  UPSTREAM_LOCAL_PORT: upstreamLocal.port,
  UPSTREAM_REMOTE_ADDRESS: upstreamRemote.whole,
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: upstreamRemote.host,
  UPSTREAM_REMOTE_PORT: upstreamRemote.port,
  UPSTREAM_TRANSPORT_FAILURE_REASON: ofInfo((info) => present(info.upstreamTransportFailureReason?.replaceAll(' ', '_'))),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: ofInfo((info) => info.attempts),
  DOWNSTREAM_REMOTE_ADDRESS: downstreamRemote.whole,
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: downstreamRemote.host,
  DOWNSTREAM_REMOTE_PORT: downstreamRemote.port,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: downstreamDirect.whole,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: downstreamDirect.host,
  DOWNSTREAM_DIRECT_REMOTE_PORT: downstreamDirect.port,
  DOWNSTREAM_LOCAL_ADDRESS: downstreamLocal.whole,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: downstreamLocal.host,
  DOWNSTREAM_LOCAL_PORT: downstreamLocal.port,
  DOWNSTREAM_TLS_VERSION: ofInfo((info) => info.downstreamTls?.version),
  DOWNSTREAM_TLS_CIPHER: ofInfo((info) => info.downstreamTls?.cipher),
  DOWNSTREAM_PEER_SERIAL: ofInfo((info) => info.downstreamTls?.peer?.serial),
  DOWNSTREAM_PEER_SUBJECT: ofInfo((info) => present(info.downstreamTls?.peer?.subject)),
  DOWNSTREAM_PEER_DNS_SAN: ofInfo((info) => present(info.downstreamTls?.peer?.dns.join(','))),
  DOWNSTREAM_PEER_FINGERPRINT_256: ofInfo((info) => info.downstreamTls?.peer?.hash),
  DOWNSTREAM_PEER_URI_SAN: ofInfo((info) => present(info.downstreamTls?.peer?.uris.join(',') ?? info.peerPrincipal)),
  DOWNSTREAM_LOCAL_URI_SAN: ofInfo((info) => present(info.localPrincipal)),
  REQUESTED_SERVER_NAME: ofInfo((info) => present(info.sni)),
  ROUTE_NAME: ofInfo((info) => present(info.routeName)),
  FILTER_CHAIN_NAME: ofInfo((info) => present(info.filterChainName)),
  VIRTUAL_CLUSTER_NAME: ofInfo((info) => present(info.virtualCluster)),
  VIRTUAL_HOST_NAME: ofInfo((info) => present(info.virtualHost)),
  QUERY_PARAMS: ofInfo((info) => present(text(queryOf(info.path)))),
  STREAM_ID: ofInfo((info) => present(info.requestId)),
  TRACE_ID: (entry) => entry.requestHeaders && readTraceContext(entry.requestHeaders)?.traceId,
  GRPC_STATUS_NUMBER: ofInfo((info) => (info.grpcStatus === undefined ? undefined : Number(info.grpcStatus))),
}

// google.rpc.Code, in the two spellings that Envoy logs.
const GRPC_NAMES =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  )

const WITH_ARGUMENTS: Readonly<Record<string, Make>> = {
  START_TIME: (args) => {
    const format = compileTimeFormat(args)
    return ok((entry) => format(entry.info.startTime))
  },
  DOWNSTREAM_PEER_CERT_V_START: validityOperator('from'),
  DOWNSTREAM_PEER_CERT_V_END: validityOperator('to'),
  REQ: headerOperator((entry, name) => requestHeader(entry, name)),
  RESP: headerOperator((entry, name) =>
    name === ':status' ? present(String(entry.info.status || '')) : text(entry.responseHeaders?.get(name)),
  ),
  TRAILER: headerOperator((entry, name) => text(entry.responseTrailers?.get(name))),
  GRPC_STATUS: (args, path) => {
    const name = (entry: AccessLogEntry): string | undefined => {
      const status = entry.info.grpcStatus
      return status === undefined ? undefined : (GRPC_NAMES[Number(status)] ?? status)
    }
    if (args === '' || args === 'CAMEL_STRING') return ok(name)
    if (args === 'NUMBER') return ok((entry) => (entry.info.grpcStatus === undefined ? undefined : Number(entry.info.grpcStatus)))
    if (args === 'SNAKE_STRING') return ok((entry) => snake(name(entry)))
    return fail(problem('log.format', path, `%GRPC_STATUS(${args})%: the argument is CAMEL_STRING, SNAKE_STRING or NUMBER.`))
  },
  PATH: (args, path) => {
    const [query = '', which = ''] = args.split(':')
    const known = ['', 'WQ', 'NQ'].includes(query) && ['', 'PATH', 'ORIG', 'ORIG_OR_PATH'].includes(which)
    if (!known) return fail(problem('log.format', path, `%PATH(${args})%: write (WQ or NQ:ORIG, PATH or ORIG_OR_PATH).`))
    return ok((entry) => {
      const original = requestHeader(entry, 'x-envoy-original-path')
      const whole =
        which === 'ORIG'
          ? original
          : which === 'PATH'
            ? requestHeader(entry, ':path')
            : (original ?? requestHeader(entry, ':path'))
      return query === 'NQ' ? whole?.replace(/\?.*$/s, '') : whole
    })
  },
  QUERY_PARAM: (args, path) => {
    if (args === '') return fail(problem('log.format', path, '%QUERY_PARAM% needs (NAME).'))
    return ok((entry) => text(queryParameter(queryOf(entry.info.path), args)))
  },
  ENVIRONMENT: (args, path) =>
    args === '' ? fail(problem('log.format', path, '%ENVIRONMENT% needs (NAME).')) : ok(() => environment(args) || '-'),
  DYNAMIC_METADATA: (args, path) => metadataOperator('DYNAMIC', args, path),
  METADATA: (args, path) => {
    const [source = '', ...rest] = args.split(':')
    return metadataOperator(source, rest.join(':'), path)
  },
  FILTER_STATE: (args) => {
    const [key = ''] = args.split(':')
    return ok((entry) => entry.info.filterState.get(key) as LogValue)
  },
}

const METADATA_SOURCES: Readonly<Record<string, (info: StreamInfo, namespace: string) => unknown>> = {
  DYNAMIC: (info, namespace) => info.metadata.get(namespace),
  ROUTE: (info, namespace) => info.routeMetadata?.[namespace],
  CLUSTER: (info, namespace) => info.clusterMetadata?.[namespace],
  UPSTREAM_HOST: (info, namespace) => info.endpoint?.metadata[namespace],
}

/** `NAMESPACE:KEY…` of one kind of metadata. */
function metadataOperator(source: string, args: string, path: string): Result<Operator> {
  const read = Object.hasOwn(METADATA_SOURCES, source) ? METADATA_SOURCES[source] : undefined
  const [namespace = '', ...keys] = args.split(':')
  if (read === undefined || namespace === '')
    return fail(
      problem(
        'log.format',
        path,
        'metadata needs (NAMESPACE:KEY…), of %METADATA% after DYNAMIC, ROUTE, CLUSTER or UPSTREAM_HOST.',
      ),
    )
  return ok(
    ({ info }) =>
      keys.reduce<unknown>(
        (value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined),
        read(info, namespace),
      ) as LogValue,
  )
}

function validityOperator(end: 'from' | 'to'): Make {
  return (args) => {
    const format = compileTimeFormat(args)
    return ok(({ info }) => {
      const peer = info.downstreamTls?.peer
      return peer === undefined ? undefined : format(peer.validity()[end])
    })
  }
}

function headerOperator(read: (entry: AccessLogEntry, name: string) => string | undefined): Make {
  return (args, path) => {
    const [main = '', alternative, ...rest] = args.toLowerCase().split('?')
    if (main === '' || rest.length > 0)
      return fail(problem('log.format', path, `(${args}) is no header name; write (NAME) or (NAME?ALTERNATIVE).`))
    if (alternative === undefined) return ok((entry) => read(entry, main))
    return ok((entry) => read(entry, main) ?? read(entry, alternative))
  }
}

function requestHeader(entry: AccessLogEntry, name: string): string | undefined {
  const { info, requestHeaders } = entry
  if (requestHeaders === undefined) return undefined
  if (name === ':method') return present(info.method)
  if (name === ':path') return present(text(info.path))
  if (name === ':scheme') return requestHeaders.get('x-forwarded-proto')
  if (name === ':authority' || name === 'host') return present(text(info.authority))
  if (name === 'x-envoy-original-path') return text(requestHeaders.get(name)) ?? present(text(info.originalPath))
  if (name === 'x-request-id') return text(requestHeaders.get(name)) ?? present(info.requestId)
  return text(requestHeaders.get(name))
}

export const environment = (name: string): string | undefined => process.env[name]
const queryOf = (path: string): string => (path.includes('?') ? path.slice(path.indexOf('?') + 1) : '')

/** As it was sent: nothing is decoded, the first of two counts. */
function queryParameter(query: string, name: string): string | undefined {
  for (const part of query.split('&')) {
    const equals = part.indexOf('=')
    if ((equals < 0 ? part : part.slice(0, equals)) === name) return equals < 0 ? '' : part.slice(equals + 1)
  }
  return undefined
}

function upstreamAddress(info: StreamInfo): string | undefined {
  if (info.endpoint === undefined) return undefined
  const { address, port } = info.endpoint.address
  if (port === 0) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Host and port of what `formatAddress` wrote. */
export function splitAddress(address: string | undefined): { host: string | undefined; port: number | undefined } {
  const parts = address === undefined ? null : /^(.*):(\d+)$/.exec(address)
  if (parts === null) return { host: address, port: undefined }
  return { host: (parts[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(parts[2]) }
}

const snake = (camel: string | undefined): string | undefined => camel?.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const decoder = new TextDecoder()

/** Header values are octets in a string; a log is UTF-8. */
function text(octets: string | undefined): string | undefined {
  if (octets === undefined || !/[\u0080-\u00ff]/.test(octets)) return octets
  return decoder.decode(Uint8Array.from(octets, (character) => character.charCodeAt(0)))
}
