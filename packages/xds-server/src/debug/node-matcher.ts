import { fail, ok, problem, type Result } from '@heddle/runtime'
import type {
  DoubleMatcher,
  NodeMatcher,
  StringMatcher,
  StructMatcher,
  ValueMatcher,
} from '@heddle/xds-types/envoy/type/matcher/v3'
import type { NodeInfo } from '../node.js'

/** Whether a request is about a node: `envoy.type.matcher.v3.NodeMatcher`. */
export type NodeTest = (node: NodeInfo) => boolean

type Test<T> = (value: T) => boolean

/** The id and all of the metadata matchers must match. Fails with `csds.unsupported`, rather than matching too much. */
export function compileNodeMatcher({ node_id, node_metadatas = [] }: NodeMatcher, path: string): Result<NodeTest> {
  const id = node_id === undefined ? ok<Test<string>>(() => true) : compileString(node_id, `${path}.node_id`)
  if (!id.ok) return id
  const metadata: Test<unknown>[] = []
  for (const [i, matcher] of node_metadatas.entries()) {
    const compiled = compileStruct(matcher, `${path}.node_metadatas[${i}]`)
    if (!compiled.ok) return compiled
    metadata.push(compiled.value)
  }
  return ok((node) => id.value(node.id) && metadata.every((matches) => matches(node.metadata)))
}

function compileStruct({ path: segments = [], value }: StructMatcher, path: string): Result<Test<unknown>> {
  const keys = segments.map(({ key = '' }) => key)
  if (keys.length === 0 || keys.includes('')) return unsupported(`${path}.path`, 'Name the keys that lead to the value.')
  const compiled = compileValue(value ?? {}, `${path}.value`)
  if (!compiled.ok) return compiled
  return ok((metadata) => compiled.value(keys.reduce(memberOf, metadata)))
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

/** A value that is not there matches nothing, and `present_match: false` matches nothing at all: as in Envoy. */
function compileValue(matcher: ValueMatcher, path: string): Result<Test<unknown>> {
  const { null_match, double_match, string_match, bool_match, present_match, list_match, or_match } = matcher
  if (null_match !== undefined) return ok((value) => value === null)
  if (double_match !== undefined) return compileDouble(double_match, `${path}.double_match`)
  if (string_match !== undefined) return onlyIf(isString, compileString(string_match, `${path}.string_match`))
  if (bool_match !== undefined) return ok((value) => value === bool_match)
  if (present_match !== undefined) return ok((value) => present_match && value !== undefined)
  if (list_match?.one_of !== undefined) {
    const one = compileValue(list_match.one_of, `${path}.list_match.one_of`)
    return one.ok ? ok((value) => Array.isArray(value) && value.some(one.value)) : one
  }
  if (or_match !== undefined) return compileOr(or_match.value_matchers ?? [], `${path}.or_match`)
  return unsupported(path, 'Match by null, number, string, bool, presence, list or or_match.')
}

function compileOr(matchers: readonly ValueMatcher[], path: string): Result<Test<unknown>> {
  const tests: Test<unknown>[] = []
  for (const [i, matcher] of matchers.entries()) {
    const compiled = compileValue(matcher, `${path}.value_matchers[${i}]`)
    if (!compiled.ok) return compiled
    tests.push(compiled.value)
  }
  return ok((value) => tests.some((matches) => matches(value)))
}

function compileDouble({ exact, range }: DoubleMatcher, path: string): Result<Test<unknown>> {
  if (exact !== undefined) return ok((value) => value === exact)
  if (range === undefined) return unsupported(path, 'Give a range or an exact number.')
  const { start = 0, end = 0 } = range
  return ok((value) => typeof value === 'number' && value >= start && value < end)
}

function compileString(
  { exact, prefix, suffix, contains, ignore_case, ...rest }: StringMatcher,
  path: string,
): Result<Test<string>> {
  const fold = (text: string): string => (ignore_case === true ? text.toLowerCase() : text)
  const test = (wanted: string, matches: (text: string, wanted: string) => boolean): Result<Test<string>> =>
    ok((text) => matches(fold(text), fold(wanted)))
  if (exact !== undefined) return test(exact, (text, wanted) => text === wanted)
  if (prefix !== undefined) return test(prefix, (text, wanted) => text.startsWith(wanted))
  if (suffix !== undefined) return test(suffix, (text, wanted) => text.endsWith(wanted))
  if (contains !== undefined) return test(contains, (text, wanted) => text.includes(wanted))
  return unsupported(path, `Match by exact, prefix, suffix or contains, not by ${Object.keys(rest)[0] ?? 'nothing'}.`)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function onlyIf<T>(is: (value: unknown) => value is T, test: Result<Test<T>>): Result<Test<unknown>> {
  return test.ok ? ok((value) => is(value) && test.value(value)) : test
}

function unsupported(path: string, message: string): Result<never> {
  return fail(problem('csds.unsupported', path, message))
}
