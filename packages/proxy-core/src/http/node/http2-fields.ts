import type { Settings } from 'node:http2'
import type { Http2Options } from '../h2/options.js'
import { createHeaderMap, type HeaderMap } from '../header-map.js'
import { headersOfRaw } from './raw-headers.js'

const LEFT_OUT: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'host', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings'],
])

/** As node:http2 takes them: lines of one name together. The length is told as `length` says; undefined leaves it out. */
export function fieldsOf(headers: HeaderMap, length?: number): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = { __proto__: null } as never
  for (const [name, value] of headers) {
    if (LEFT_OUT.has(name) || (name === 'te' && value !== 'trailers')) continue
    const before = fields[name]
    fields[name] = before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value]
  }
  if (length !== undefined && headers.has('content-length')) fields['content-length'] = String(length)
  return fields
}

/** Regular fields of the list that events of streams tell last. Crumbs of a cookie are one field (RFC 9113 §8.2.3). */
export function headersOfFields(raw: unknown): HeaderMap {
  if (!Array.isArray(raw)) return createHeaderMap()
  const headers = headersOfRaw(raw as string[], (name) => name.startsWith(':') || name === 'host')
  const cookies = headers.getAll('cookie')
  if (cookies.length > 1) headers.set('cookie', cookies.join('; '))
  return headers
}

export function settingsOf(options: Http2Options): Settings {
  return {
    headerTableSize: options.hpackTableSize,
    initialWindowSize: options.initialStreamWindowSize,
    maxConcurrentStreams: options.maxConcurrentStreams,
    enableConnectProtocol: options.allowConnect,
    enablePush: false,
  }
}
