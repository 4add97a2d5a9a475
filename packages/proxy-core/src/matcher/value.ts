import type { MetadataMatcher, ValueMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { Fields } from '../config/fields.js'
import { compileStringMatcher } from './string.js'

/** A test of one metadata value; undefined: there is none. */
export interface ValueTest {
  matches(value: unknown): boolean
  readonly text: string
}

export function compileValueMatcher(fields: Fields<ValueMatcher>): ValueTest {
  const test = compileOne(fields)
  fields.done()
  return test
}

function compileOne(fields: Fields<ValueMatcher>): ValueTest {
  const string = fields.message('string_match')
  if (string !== undefined) {
    const { matches, text } = compileStringMatcher(string)
    return { text, matches: (value) => typeof value === 'string' && matches(value) }
  }
  const list = fields.message('list_match')
  if (list !== undefined) {
    const oneOf = list.message('one_of')
    const one = oneOf === undefined ? undefined : compileValueMatcher(oneOf)
    list.done()
    return {
      text: `a list with ${one?.text ?? 'anything'}`,
      matches: (value) => Array.isArray(value) && value.some((each) => one?.matches(each)),
    }
  }
  const or = fields.message('or_match')
  if (or !== undefined) {
    const tests = or.messages('value_matchers').map(compileValueMatcher)
    or.done()
    return { text: tests.map(({ text }) => text).join(' or '), matches: (value) => tests.some((test) => test.matches(value)) }
  }
  if (fields.has('bool_match')) {
    const wanted = fields.boolean('bool_match')
    return { text: String(wanted), matches: (value) => value === wanted }
  }
  if (fields.has('null_match')) {
    fields.raw('null_match')
    return { text: 'null', matches: (value) => value === null }
  }
  const double = fields.message('double_match')
  if (double !== undefined) return compileDouble(double)
  const present = fields.boolean('present_match')
  return { text: present ? 'present' : 'never', matches: (value) => present && value !== undefined }
}

function compileDouble(fields: Fields<NonNullable<ValueMatcher['double_match']>>): ValueTest {
  const range = fields.message('range')
  const [start, end] = [range?.number('start') ?? 0, range?.number('end') ?? 0]
  range?.done()
  const exact = fields.number('exact')
  fields.done()
  if (range === undefined) return { text: String(exact), matches: (value) => value === exact }
  return {
    text: `from ${start} to before ${end}`,
    matches: (value) => typeof value === 'number' && value >= start && value < end,
  }
}

/** Dynamic metadata by filter namespace. */
export type DynamicMetadata = ReadonlyMap<string, Readonly<Record<string, unknown>>>

export interface MetadataTest {
  readonly name: string
  readonly text: string
  /** There is a value, whatever it is. */
  has(metadata: DynamicMetadata): boolean
  matches(metadata: DynamicMetadata): boolean
}

export function compileMetadataMatcher(fields: Fields<MetadataMatcher>): MetadataTest {
  const filter = fields.string('filter')
  const path = fields.messages('path').map((segment) => {
    const key = segment.string('key')
    segment.done()
    return key
  })
  const value = fields.message('value')
  const test = value === undefined ? undefined : compileValueMatcher(value)
  const invert = fields.boolean('invert')
  fields.done()
  if (test === undefined) fields.problem('is required.', 'value')
  return {
    name: [filter, ...path].join('.'),
    text: `${invert ? 'not ' : ''}${test?.text}`,
    has: (metadata) => walk(metadata.get(filter), path) !== undefined,
    matches: (metadata) => (test?.matches(walk(metadata.get(filter), path)) ?? false) !== invert,
  }
}

function walk(value: unknown, path: readonly string[]): unknown {
  let at = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string, unknown>)[key]
  }
  return at
}
