import type { HeaderMatcher as HeaderMatcherProto } from '@heddle/xds-types/envoy/config/route/v3'
import type { Fields } from '../config/fields.js'
import type { RequestHead } from '../route/table.js'
import { asciiLower } from './ascii.js'
import { compileRegexMatcher, compileStringMatcher, type StringMatcher, stringMatcher } from './string.js'

/** Envoy's HeaderMatcher, compiled. */
export interface HeaderMatcher {
  readonly name: string
  matches(head: RequestHead): boolean
  /** Of a header by its values, for responses. */
  matchesValues(values: readonly string[]): boolean
  /** For people: `exact "nolen"`, `present`. */
  readonly text: string
}

/** The values of a header, pseudo headers among them. `host` is another name of `:authority`, as in Envoy. */
export function headerValues(head: RequestHead, name: string): readonly string[] {
  switch (name) {
    case ':path':
      return [head.path]
    case ':method':
      return [head.method]
    case ':scheme':
      return [head.scheme]
    case ':authority':
    case 'host':
      return [head.authority]
    default:
      return head.headers.getAll(name)
  }
}

/** Each value is asked on its own, and any one is enough; inverted, one that fits refuses. Recorded from Envoy 1.40 [match/headers]. */
export function compileHeaderMatcher(fields: Fields<HeaderMatcherProto>): HeaderMatcher {
  const name = asciiLower(fields.string('name'))
  const invert = fields.boolean('invert_match')
  const absentIsEmpty = fields.boolean('treat_missing_header_as_empty')
  const kind = valueMatcher(fields)
  fields.done()
  if (name === '') fields.problem('is required.', 'name')

  const matchesValues = (values: readonly string[]): boolean => {
    if (kind.present !== undefined) return ((values.length > 0 || absentIsEmpty) === kind.present) !== invert
    // An absent header fails a matcher of values, inverted or not.
    if (values.length === 0 && !absentIsEmpty) return false
    return (values.length === 0 ? kind.matcher.matches('') : values.some(kind.matcher.matches)) !== invert
  }
  const text = kind.present === undefined ? kind.matcher.text : kind.present ? 'present' : 'absent'
  return { name, text: invert ? `not ${text}` : text, matchesValues, matches: (head) => matchesValues(headerValues(head, name)) }
}

type ValueMatcher =
  | { readonly present: boolean; readonly matcher?: never }
  | { readonly present?: never; readonly matcher: StringMatcher }

function valueMatcher(fields: Fields<HeaderMatcherProto>): ValueMatcher {
  const string = fields.message('string_match')
  if (string !== undefined) return { matcher: compileStringMatcher(string) }
  const regex = fields.message('safe_regex_match')
  if (regex !== undefined) return { matcher: compileRegexMatcher(regex) }
  const range = fields.message('range_match')
  if (range !== undefined) {
    const matcher = rangeMatcher(range.number('start'), range.number('end'))
    range.done()
    return { matcher }
  }
  if (fields.has('exact_match')) return { matcher: stringMatcher('exact', fields.string('exact_match')) }
  if (fields.has('prefix_match')) return { matcher: stringMatcher('prefix', fields.string('prefix_match')) }
  if (fields.has('suffix_match')) return { matcher: stringMatcher('suffix', fields.string('suffix_match')) }
  if (fields.has('contains_match')) return { matcher: stringMatcher('contains', fields.string('contains_match')) }
  return { present: fields.boolean('present_match', true) }
}

const INTEGER = /^[+-]?\d{1,19}$/

/** Int64Range: the end is not part of it. */
function rangeMatcher(start: number, end: number): StringMatcher {
  const matches = (value: string): boolean => INTEGER.test(value) && Number(value) >= start && Number(value) < end
  return { matches, text: `a number from ${start} to before ${end}` }
}
