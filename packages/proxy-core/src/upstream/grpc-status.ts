import type { HeaderMap } from '../http/header-map.js'

export const GRPC_STATUS = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** What the fields of a trailers-only answer or of trailers say; undefined: no status is among them. */
export function statusIn(fields: HeaderMap): { readonly code: number; readonly message: string } | undefined {
  const status = fields.get('grpc-status')
  if (status === undefined) return undefined
  const code = /^\d{1,2}$/.test(status) ? Number(status) : GRPC_STATUS.unknown
  return { code, message: decodeMessage(fields.get('grpc-message') ?? '') }
}

/** What an HTTP status without a grpc-status means (gRPC: HTTP to gRPC Status Code Mapping). */
export function statusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return GRPC_STATUS.internal
    case 401:
      return GRPC_STATUS.unauthenticated
    case 403:
      return GRPC_STATUS.permissionDenied
    case 404:
      return GRPC_STATUS.unimplemented
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS.unavailable
    default:
      return GRPC_STATUS.unknown
  }
}

/** Percent-decoding of grpc-message; what is no escape stays as it is. */
export function decodeMessage(text: string): string {
  if (!text.includes('%')) return text
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
