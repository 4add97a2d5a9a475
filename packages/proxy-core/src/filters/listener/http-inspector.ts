import { METHODS } from '../../http/h1/tables.js'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const MAX_REQUEST_LINE = 8192
const LONGEST_METHOD = Math.max(...[...METHODS].map((method) => method.length))

/** Envoy's http_inspector: `http/1.1`, `http/1.0`, `h2c`, `more` while it cannot tell, undefined for what is no HTTP. */
export function inspectHttp(bytes: Uint8Array): 'http/1.1' | 'http/1.0' | 'h2c' | 'more' | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_REQUEST_LINE)).toString('latin1')
  if (PREFACE.startsWith(text.slice(0, PREFACE.length))) return text.length >= PREFACE.length ? 'h2c' : 'more'
  const space = text.indexOf(' ')
  if (space < 0)
    return text.length <= LONGEST_METHOD && [...METHODS].some((method) => method.startsWith(text)) ? 'more' : undefined
  if (!METHODS.has(text.slice(0, space))) return undefined
  const end = text.indexOf('\r\n')
  if (end < 0) return text.length < MAX_REQUEST_LINE ? 'more' : undefined
  const line = text.slice(0, end)
  if (line.endsWith(' HTTP/1.1')) return 'http/1.1'
  return line.endsWith(' HTTP/1.0') ? 'http/1.0' : undefined
}
