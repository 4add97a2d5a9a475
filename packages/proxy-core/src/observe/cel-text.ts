import type { LogValue } from './operators/operator.js'

/** A CEL value as JSON may hold it; a map or a list keeps its shape. */
export function asJson(value: unknown): LogValue {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), asJson(item)]))
  if (Array.isArray(value)) return value.map(asJson)
  if (typeof value === 'object') {
    if (!isPlain(value)) return String(value)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asJson(item)]))
  }
  return value as LogValue
}

const isPlain = (value: object): boolean =>
  Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null

/** The same as a text, for what is one line. */
export function asText(value: LogValue): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
