import type { HeaderMap } from '../header-map.js'
import type { Fields } from './frame-writer.js'

/** RFC 9113 §8.2.2: fields that belong to an HTTP/1 connection, and those that the codec says itself. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** Adds what may be sent of `headers`; the length is told as `length` says: undefined leaves it out. */
export function addFields(into: Fields, headers: HeaderMap, length: string | undefined): void {
  for (let i = 0; i < headers.size; i++) {
    const name = headers.nameAt(i)
    const value = headers.valueAt(i)
    if (LEFT_OUT.has(name)) {
      if (name === 'content-length' && length !== undefined) into.add(name, length)
    } else if (name !== 'te' || value === 'trailers') into.add(name, value)
  }
}

/** As HTTP/1.1 says what extended CONNECT says (RFC 8441 §5). */
export function sayUpgrade(headers: HeaderMap, protocol: string): void {
  headers.set('connection', 'upgrade')
  headers.set('upgrade', protocol)
}
