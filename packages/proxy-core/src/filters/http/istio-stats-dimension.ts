import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { HeaderMap } from '../../http/header-map.js'
import type { StreamInfo } from '../../http/stream-info.js'

/** What a tag of a Telemetry resource may ask: the small part of CEL that is a single attribute or a text. */
export type Dimension = (info: StreamInfo, requestHeaders: HeaderMap) => string

const ATTRIBUTES: Readonly<Record<string, Dimension>> = {
  'request.host': (info) => info.authority,
  'request.method': (info) => info.method,
  'request.path': (info) => info.originalPath ?? info.path,
  'request.url_path': (info) => (info.originalPath ?? info.path).split('?', 1)[0] ?? '',
  'request.protocol': (info) => info.protocol,
  'request.useragent': (info) => info.userAgent ?? '',
  'request.id': (info) => info.requestId ?? '',
  'response.code': (info) => String(info.status),
  'response.flags': (info) => [...info.flags].join(','),
  'response.code_details': (info) => info.details,
  'connection.requested_server_name': (info) => info.sni ?? '',
  'upstream.cluster_name': (info) => info.cluster ?? '',
  'xds.cluster_name': (info) => info.cluster ?? '',
  'xds.route_name': (info) => info.routeName ?? '',
}

const TEXT = /^(?:"([^"\\]*)"|'([^'\\]*)')$/
const HEADER = /^request\.headers\[(?:"([^"\\]+)"|'([^'\\]+)')\]$/

/** Anything else of CEL is refused with code `cel.unsupported`. */
export function compileDimension(expression: string, path: string): Result<Dimension> {
  const trimmed = expression.trim()
  if (Object.hasOwn(ATTRIBUTES, trimmed)) return ok(ATTRIBUTES[trimmed]!)
  const text = TEXT.exec(trimmed)
  if (text !== null) {
    const value = text[1] ?? text[2] ?? ''
    return ok(() => value)
  }
  const header = HEADER.exec(trimmed)
  if (header !== null) {
    const name = (header[1] ?? header[2] ?? '').toLowerCase()
    return ok((_info, headers) => headers.get(name) ?? '')
  }
  return fail(
    problem(
      'cel.unsupported',
      path,
      `${JSON.stringify(expression)} is more than one attribute, a header or a text; other expressions are not supported.`,
    ),
  )
}
