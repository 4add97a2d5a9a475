import type { StringMatcher as StringMatcherProto } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { Fields } from '../config/fields.js'
import { asciiLower } from './ascii.js'
import { compileRegex } from './regex.js'

/** Envoy's StringMatcher, compiled. */
export interface StringMatcher {
  matches(value: string): boolean
  /** For people: `exact "nolen"`, `prefix "/api"`, `regex ".*v1"`. */
  readonly text: string
  /** Where nothing but this text, or one that begins so, fits. */
  readonly fixed?: { readonly kind: 'exact' | 'prefix'; readonly wanted: string }
}

export const NEVER: StringMatcher = { matches: () => false, text: 'nothing' }

type Kind = 'exact' | 'prefix' | 'suffix' | 'contains'
const KINDS: readonly Kind[] = ['exact', 'prefix', 'suffix', 'contains']

const TESTS: Readonly<Record<Kind, (wanted: string) => (value: string) => boolean>> = {
  exact: (wanted) => (value) => value === wanted,
  prefix: (wanted) => (value) => value.startsWith(wanted),
  suffix: (wanted) => (value) => value.endsWith(wanted),
  contains: (wanted) => (value) => value.includes(wanted),
}

/** `ignoreCase` folds A to Z, as Envoy does. */
export function stringMatcher(kind: Kind, wanted: string, ignoreCase = false): StringMatcher {
  const test = TESTS[kind](ignoreCase ? asciiLower(wanted) : wanted)
  const text = `${kind} ${JSON.stringify(wanted)}`
  if (ignoreCase) return { matches: (value) => test(asciiLower(value)), text: `${text} without case` }
  return kind === 'exact' || kind === 'prefix' ? { matches: test, text, fixed: { kind, wanted } } : { matches: test, text }
}

export function compileStringMatcher(fields: Fields<StringMatcherProto>): StringMatcher {
  const ignoreCase = fields.boolean('ignore_case')
  const kind = KINDS.find((each) => fields.has(each))
  const regex = fields.message('safe_regex')
  const matcher =
    kind !== undefined
      ? stringMatcher(kind, fields.string(kind), ignoreCase)
      : regex !== undefined
        ? compileRegexMatcher(regex)
        : undefined
  fields.done()
  if (ignoreCase && regex !== undefined) fields.problem('means nothing to safe_regex: begin it with (?i).', 'ignore_case')
  if (matcher === undefined && !fields.has('custom')) fields.problem('needs one of exact, prefix, suffix, contains, safe_regex.')
  return matcher ?? NEVER
}

/** Envoy's RegexMatcher: the whole value must match. */
export function compileRegexMatcher(
  fields: Fields<{ google_re2?: object | undefined; regex?: string | undefined }>,
): StringMatcher {
  const regex = fields.take(compileRegex(fields.string('regex'), `${fields.path}.regex`))
  fields.done({ google_re2: 'RE2 is the only engine' })
  return regex === undefined
    ? NEVER
    : { matches: (value) => regex.matchesAll(value), text: `regex ${JSON.stringify(regex.pattern)}` }
}
