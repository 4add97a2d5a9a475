import type { WireBytes } from '../../http/codec.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { AccessLogEntry } from '../access-log.js'
import type { Operator, PlainOperators } from './operator.js'

const wire =
  (side: 'downstreamWire' | 'upstreamWire', count: keyof WireBytes): Operator =>
  (entry) =>
    wireOf(entry, side)?.[count] ?? 0

/** Of a TCP connection every byte is payload, and there are no headers. */
export function wireOf(entry: AccessLogEntry, side: 'downstreamWire' | 'upstreamWire'): WireBytes | undefined {
  if (entry.requestHeaders !== undefined) return entry[side]
  const { bytesReceived, bytesSent } = entry.info
  const none = { headersReceived: 0, headersSent: 0, fieldsReceived: 0, fieldsSent: 0 }
  return side === 'downstreamWire'
    ? { received: bytesReceived, sent: bytesSent, ...none }
    : { received: bytesSent, sent: bytesReceived, ...none }
}

/** Names and values, as Envoy measures its header maps; without separators. */
function sizeOf(headers: HeaderMap | undefined): number {
  let size = 0
  for (let i = 0; i < (headers?.size ?? 0); i++) size += headers!.nameAt(i).length + headers!.valueAt(i).length
  return size
}

/** In Envoy's map the scheme is a field of its own, and one that was told by the connection. */
export function requestHeadersBytes({ info, requestHeaders }: AccessLogEntry): number {
  if (requestHeaders === undefined || info.method === '') return 0
  const scheme = requestHeaders.get('x-forwarded-proto') ?? 'http'
  const pseudo = `:method${info.method}:path${info.path}:authority${info.authority}:scheme${scheme}`
  return pseudo.length + sizeOf(requestHeaders)
}

export function responseHeadersBytes({ info, responseHeaders }: AccessLogEntry): number {
  return responseHeaders === undefined ? 0 : `:status${info.status}`.length + sizeOf(responseHeaders)
}

export const byteOperators: PlainOperators = {
  BYTES_RECEIVED: ({ info }) => info.bytesReceived,
  BYTES_SENT: ({ info }) => info.bytesSent,
  // Of QUIC, which does not come here.
  BYTES_RETRANSMITTED: () => 0,
  PACKETS_RETRANSMITTED: () => 0,
  REQUEST_HEADERS_BYTES: requestHeadersBytes,
  RESPONSE_HEADERS_BYTES: responseHeadersBytes,
  RESPONSE_TRAILERS_BYTES: ({ responseTrailers }) => sizeOf(responseTrailers),
  DOWNSTREAM_WIRE_BYTES_RECEIVED: wire('downstreamWire', 'received'),
  DOWNSTREAM_WIRE_BYTES_SENT: wire('downstreamWire', 'sent'),
  DOWNSTREAM_HEADER_BYTES_RECEIVED: wire('downstreamWire', 'headersReceived'),
  DOWNSTREAM_HEADER_BYTES_SENT: wire('downstreamWire', 'headersSent'),
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: wire('downstreamWire', 'fieldsReceived'),
  DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: wire('downstreamWire', 'fieldsSent'),
  UPSTREAM_WIRE_BYTES_RECEIVED: wire('upstreamWire', 'received'),
  UPSTREAM_WIRE_BYTES_SENT: wire('upstreamWire', 'sent'),
  UPSTREAM_HEADER_BYTES_RECEIVED: wire('upstreamWire', 'headersReceived'),
  UPSTREAM_HEADER_BYTES_SENT: wire('upstreamWire', 'headersSent'),
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED: wire('upstreamWire', 'fieldsReceived'),
  UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT: wire('upstreamWire', 'fieldsSent'),
}
