import type { DerNode } from './reader.js'

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/

/** Milliseconds since the epoch of a UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 wants them: seconds, and Z; undefined when it is none. */
export function readTime(node: DerNode): number | undefined {
  const text = String.fromCharCode(...node.content)
  const match = (node.tag === 0x17 ? UTC_TIME : node.tag === 0x18 ? GENERALIZED_TIME : undefined)?.exec(text)
  if (match === null || match === undefined) return undefined
  const [written = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  const year = node.tag === 0x18 ? written : written < 50 ? 2000 + written : 1900 + written
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC carries over what does not exist: the 31st of February.
  return new Date(time).getUTCMonth() === month - 1 && hour < 24 && minute < 60 && second < 60 ? time : undefined
}
