import { FIELD_VALUE } from '../field-value.js'
import { TOKEN } from '../h1/tables.js'

/** What a field means to the codec. It is told once, when a field is decoded or enters a table, and holds for each of its uses. */
export const KIND = {
  regular: 0,
  invalid: 1,
  method: 2,
  scheme: 3,
  path: 4,
  authority: 5,
  status: 6,
  protocol: 7,
  host: 8,
  contentLength: 9,
  te: 10,
  cookie: 11,
  expect: 12,
} as const

export type FieldKind = (typeof KIND)[keyof typeof KIND]

/** A decoded field line; shared by all messages that refer to the same table entry. */
export interface HeaderField {
  readonly name: string
  readonly value: string
  /** RFC 7541 §4.1. */
  readonly size: number
  readonly kind: FieldKind
}

const ENTRY_OVERHEAD = 32

export function headerField(name: string, value: string): HeaderField {
  return { name, value, size: name.length + value.length + ENTRY_OVERHEAD, kind: kindOf(name, value) }
}

const NAMED: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  [':method', KIND.method],
  [':scheme', KIND.scheme],
  [':path', KIND.path],
  [':authority', KIND.authority],
  [':status', KIND.status],
  [':protocol', KIND.protocol],
  ['host', KIND.host],
  ['content-length', KIND.contentLength],
  ['te', KIND.te],
  ['cookie', KIND.cookie],
  ['expect', KIND.expect],
  // RFC 9113 §8.2.2: fields of a connection have no place here.
  ['connection', KIND.invalid],
  ['proxy-connection', KIND.invalid],
  ['keep-alive', KIND.invalid],
  ['transfer-encoding', KIND.invalid],
  ['upgrade', KIND.invalid],
])

function kindOf(name: string, value: string): FieldKind {
  if (!isFieldValue(value)) return KIND.invalid
  const named = NAMED.get(name)
  if (named === undefined) return isLowerToken(name) ? KIND.regular : KIND.invalid
  // RFC 9113 §8.2.2: `trailers` is all that te may say.
  return named === KIND.te && value.toLowerCase() !== 'trailers' ? KIND.invalid : named
}

function isLowerToken(name: string): boolean {
  if (name === '') return false
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (TOKEN[code] !== 1 || (code >= 65 && code <= 90)) return false
  }
  return true
}

function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (FIELD_VALUE[value.charCodeAt(i)] !== 1) return false
  return true
}
