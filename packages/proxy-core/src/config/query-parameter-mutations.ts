import type { KeyValueMutation } from '@heddle/xds-types/envoy/config/core/v3'
import type { AccessLogEntry } from '../observe/access-log.js'
import { compileTextFormat } from '../observe/log-format.js'
import type { Fields } from './fields.js'

const ACTIONS = ['APPEND_IF_EXISTS_OR_ADD', 'ADD_IF_ABSENT', 'OVERWRITE_IF_EXISTS_OR_ADD', 'OVERWRITE_IF_EXISTS'] as const

/** By decoded name; name and values as they are written. */
type Parameters = Map<string, { readonly written: string; readonly values: string[] }>
export type ApplyQueryMutation = (parameters: Parameters, entry: AccessLogEntry) => void

/** envoy.config.core.v3.KeyValueMutation of a query parameter. */
export function compileQueryMutation(fields: Fields<KeyValueMutation>): ApplyQueryMutation {
  const append = fields.message('append')
  const removed = fields.string('remove')
  if (append === undefined && removed === '') fields.problem('needs one of append, remove.')
  const record = append?.message('record')
  const action = append?.choice('action', ACTIONS, 'APPEND_IF_EXISTS_OR_ADD') ?? 'APPEND_IF_EXISTS_OR_ADD'
  const key = record?.string('key') ?? ''
  const value = record?.raw('value') ?? ''
  if (record !== undefined && key === '') record.problem('is required.', 'key')
  if (append !== undefined && record === undefined) append.problem('is required.', 'record')
  const format =
    record &&
    fields.take(compileTextFormat(typeof value === 'string' ? value : '', `${record.path}.value`, { omitEmptyValues: true }))
  if (record !== undefined && typeof value !== 'string') record.problem('must be a text.', 'value')
  record?.done()
  append?.done()
  fields.done()
  return (parameters, entry) => {
    if (removed !== '') parameters.delete(removed)
    if (format === undefined) return
    const present = parameters.get(key)
    if (action === 'ADD_IF_ABSENT' ? present !== undefined : action === 'OVERWRITE_IF_EXISTS' && present === undefined) return
    const text = encoded(format(entry))
    if (action === 'APPEND_IF_EXISTS_OR_ADD' && present !== undefined) present.values.push(text)
    else parameters.set(key, { written: key, values: [text] })
  }
}

/** Of a value that is put in all but letters, digits and `*-._` as %XX. */
function encoded(value: string): string {
  return Array.from(Buffer.from(value), (byte) => {
    const char = String.fromCharCode(byte)
    return /[\w.*-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

/** To be compared, never to be written: Envoy writes it, and a client's `%26` is a parameter more then. */
const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** The path with its query changed; what is not changed stays as it was sent. As in Envoy the parameters come out in the order of their names. */
export function mutateQuery(path: string, mutations: readonly ApplyQueryMutation[], entry: AccessLogEntry): string {
  if (mutations.length === 0) return path
  const mark = path.indexOf('?')
  const parameters: Parameters = new Map()
  const parts = mark < 0 ? [] : path.slice(mark + 1).split('&')
  if (parts.at(-1) === '') parts.pop()
  for (const part of parts) {
    const equals = part.indexOf('=')
    const written = equals < 0 ? part : part.slice(0, equals)
    const value = equals < 0 ? '' : part.slice(equals + 1)
    const key = decoded(written)
    const present = parameters.get(key)
    if (present === undefined) parameters.set(key, { written, values: [value] })
    else present.values.push(value)
  }
  for (const apply of mutations) apply(parameters, entry)
  const query = [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { written, values }]) => values.map((value) => `${written}=${value}`))
    .join('&')
  const bare = mark < 0 ? path : path.slice(0, mark)
  return query === '' ? bare : `${bare}?${query}`
}
