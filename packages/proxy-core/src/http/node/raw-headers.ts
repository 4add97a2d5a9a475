import { createHeaderMap, type HeaderMap } from '../header-map.js'

/** Of `name, value, name, value, …`, as node:http and node:http2 tell them; `drop`: names, in lower case, that are left out. */
export function headersOfRaw(raw: readonly string[], drop: (name: string) => boolean): HeaderMap {
  const headers = createHeaderMap()
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (!drop(name)) headers.appendLower(name, raw[i + 1]!)
  }
  return headers
}

/** The first value in such a list. */
export function rawValue(raw: readonly string[], wanted: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) if (raw[i]!.toLowerCase() === wanted) return raw[i + 1]
  return undefined
}

/** Names and values under each other's index, for node:http. `drop` as above. */
export function rawOf(headers: HeaderMap, drop: (name: string) => boolean): string[] {
  const raw: string[] = []
  for (const [name, value] of headers) if (!drop(name)) raw.push(name, value)
  return raw
}

/** What belongs to one HTTP/1 connection (RFC 9110 §7.6.1). */
export function isOfConnection(name: string): boolean {
  return name === 'connection' || name === 'transfer-encoding' || name === 'keep-alive' || name === 'proxy-connection'
}
