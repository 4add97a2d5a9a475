import type { QueryParameterMatcher as QueryParameterMatcherProto } from '@heddle/xds-types/envoy/config/route/v3'
import type { Fields } from '../config/fields.js'
import { compileStringMatcher } from './string.js'

export interface QueryMatcher {
  readonly name: string
  /** Undefined: the parameter is absent. */
  matches(value: string | undefined): boolean
  readonly text: string
}

/**
 * The value of a query parameter, as it was sent: Envoy decodes neither names nor values. The first of two counts, a second
 * `?` belongs to the name, `;` does not separate [match/query].
 */
export function queryParameter(path: string, name: string): string | undefined {
  let at = path.indexOf('?') + 1
  if (at === 0) return undefined
  while (at <= path.length) {
    const next = path.indexOf('&', at)
    const end = next < 0 ? path.length : next
    const equals = path.indexOf('=', at)
    const nameEnd = equals < 0 || equals > end ? end : equals
    if (nameEnd - at === name.length && path.startsWith(name, at)) return nameEnd === end ? '' : path.slice(nameEnd + 1, end)
    at = end + 1
  }
  return undefined
}

export function compileQueryMatcher(fields: Fields<QueryParameterMatcherProto>): QueryMatcher {
  const name = fields.string('name')
  const string = fields.message('string_match')
  const present = fields.boolean('present_match', true)
  fields.done()
  if (name === '') fields.problem('is required.', 'name')
  if (string === undefined)
    return { name, text: present ? 'present' : 'absent', matches: (value) => (value !== undefined) === present }
  const matcher = compileStringMatcher(string)
  return { name, text: matcher.text, matches: (value) => value !== undefined && matcher.matches(value) }
}
