import { bodyOf, emptyBody } from './body.js'
import { createHeaderMap, type HeaderMap } from './header-map.js'
import type { HttpResponse, LocalReply } from './message.js'

/** Content types of gRPC: `application/grpc`, with a suffix; with parameters it is none, as in Envoy. */
export function isGrpc(headers: HeaderMap): boolean {
  const type = headers.get('content-type')
  if (type === undefined || !type.startsWith('application/grpc')) return false
  const next = type.charCodeAt('application/grpc'.length)
  return Number.isNaN(next) || next === 43
}

/** The response that says what `reply` says; to gRPC callers in their way: 200 with grpc-status in the headers. */
export function responseOf(reply: LocalReply, toGrpc: boolean): HttpResponse {
  if (toGrpc) return grpcResponse(reply)
  const headers = createHeaderMap()
  if (reply.body !== '') {
    headers.appendLower('content-length', String(Buffer.byteLength(reply.bytes ?? reply.body)))
    headers.appendLower('content-type', 'text/plain')
  }
  for (const [name, value] of reply.headers ?? []) setOrAppend(headers, name, value)
  return { status: reply.status, headers, body: reply.body === '' ? emptyBody : bodyOf(reply.bytes ?? reply.body) }
}

function grpcResponse(reply: LocalReply): HttpResponse {
  const headers = createHeaderMap()
  headers.appendLower('content-type', 'application/grpc')
  for (const [name, value] of reply.headers ?? []) setOrAppend(headers, name, value)
  headers.set('content-type', 'application/grpc')
  if (!headers.has('grpc-status')) headers.appendLower('grpc-status', String(reply.grpcStatus ?? grpcStatusOf(reply.status)))
  if (reply.body !== '') headers.set('grpc-message', grpcMessage(reply.body))
  return { status: 200, headers, body: emptyBody }
}

// Of one name that a reply gives twice (set-cookie) both lines stay; content-type of a reply replaces ours.
function setOrAppend(headers: HeaderMap, name: string, value: string): void {
  if (name.toLowerCase() === 'content-type') headers.set(name, value)
  else headers.append(name, value)
}

/** Envoy's httpToGrpcStatus. */
export function grpcStatusOf(status: number): number {
  switch (status) {
    case 400:
      return 13
    case 401:
      return 16
    case 403:
      return 7
    case 404:
      return 12
    case 429:
    case 502:
    case 503:
    case 504:
      return 14
    default:
      return 2
  }
}

/** Envoy's grpcToHttpStatus, of the text of a grpc-status. */
export function httpStatusOf(grpcStatus: string): number {
  return HTTP_STATUS[grpcStatus] ?? 500
}

const HTTP_STATUS: Readonly<Record<string, number>> = {
  ...{ 0: 200, 1: 499, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400 },
  ...{ 10: 409, 11: 400, 12: 501, 14: 503, 16: 401 },
}

/** Percent-encoding of grpc-message (gRPC over HTTP/2: Status-Message). */
export function grpcMessage(text: string): string {
  let out = ''
  for (const byte of Buffer.from(text)) {
    out +=
      byte >= 32 && byte <= 126 && byte !== 37
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
