import type {
  Matcher,
  Matcher_MatcherList_Predicate,
  Matcher_MatcherList_Predicate_SinglePredicate,
  Matcher_MatcherTree,
  Matcher_MatcherTree_MatchMap,
  Matcher_OnMatch,
} from '@heddle/xds-types/xds/type/matcher/v3'
import type { Fields, TypedConfig } from '../config/fields.js'
import { compileStringMatcher } from './string.js'

/** What a tree is compiled with: where its inputs come from, and what its actions are. */
export interface MatchTreeKinds<I, A> {
  /** Reads one input of a question; undefined inside: there is none. */
  input(config: TypedConfig, fields: Fields<never>): ((question: I) => string | undefined) | undefined
  action(config: TypedConfig, fields: Fields<never>): A | undefined
}

/** The action that a question comes to; undefined: none. */
export type MatchTree<I, A> = (question: I) => A | undefined

/** xds.type.matcher.v3.Matcher: matcher_list and matcher_tree, nested as deep as they are written. */
export function compileMatchTree<I, A>(fields: Fields<Matcher>, kinds: MatchTreeKinds<I, A>): MatchTree<I, A> {
  const list = fields.message('matcher_list')
  const tree = fields.message('matcher_tree')
  const otherwise = onMatch(fields.message('on_no_match'), kinds)
  const found = list !== undefined ? compileList(list, kinds) : tree !== undefined ? compileTree(tree, kinds) : () => undefined
  fields.done()
  return (question) => found(question) ?? otherwise(question)
}

function onMatch<I, A>(fields: Fields<Matcher_OnMatch> | undefined, kinds: MatchTreeKinds<I, A>): MatchTree<I, A> {
  if (fields === undefined) return () => undefined
  const matcher = fields.message('matcher')
  const action = fields.message('action')
  const config = action?.any('typed_config')
  action?.done({ name: 'names it for people' })
  if (fields.boolean('keep_matching')) fields.problem('keep_matching is not supported.', 'keep_matching')
  const nested = matcher && compileMatchTree(matcher, kinds)
  const value = config && kinds.action(config, fields as Fields<never>)
  fields.done()
  if (nested === undefined && config === undefined) fields.problem('needs one of matcher, action.')
  return nested ?? (() => value)
}

function compileList<I, A>(fields: Fields<NonNullable<Matcher['matcher_list']>>, kinds: MatchTreeKinds<I, A>): MatchTree<I, A> {
  const matchers = fields.messages('matchers').map((each) => {
    const predicate = each.message('predicate')
    const test = predicate === undefined ? () => false : compilePredicate(predicate, kinds)
    const then = onMatch(each.message('on_match'), kinds)
    each.done()
    return { test, then }
  })
  fields.done()
  return (question) => {
    for (const { test, then } of matchers) {
      const found = test(question) ? then(question) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
}

type Test<I> = (question: I) => boolean

function compilePredicate<I, A>(fields: Fields<Matcher_MatcherList_Predicate>, kinds: MatchTreeKinds<I, A>): Test<I> {
  const [single, or, and, not] = [
    fields.message('single_predicate'),
    fields.message('or_matcher'),
    fields.message('and_matcher'),
    fields.message('not_matcher'),
  ]
  const all = (list: typeof or): readonly Test<I>[] => {
    const tests = list?.messages('predicate').map((each) => compilePredicate(each, kinds)) ?? []
    list?.done()
    return tests
  }
  fields.done()
  if (single !== undefined) return compileSingle(single, kinds)
  if (or !== undefined) {
    const tests = all(or)
    return (question) => tests.some((test) => test(question))
  }
  if (and !== undefined) {
    const tests = all(and)
    return (question) => tests.every((test) => test(question))
  }
  const inner = not && compilePredicate(not, kinds)
  if (inner === undefined) fields.problem('needs one of single_predicate, or_matcher, and_matcher, not_matcher.')
  return (question) => inner?.(question) === false
}

function compileSingle<I, A>(
  fields: Fields<Matcher_MatcherList_Predicate_SinglePredicate>,
  kinds: MatchTreeKinds<I, A>,
): Test<I> {
  const read = compileInput(fields as Fields<WithInput>, kinds)
  const value = fields.message('value_match')
  const matcher = value && compileStringMatcher(value as Parameters<typeof compileStringMatcher>[0])
  fields.done()
  return (question) => {
    const found = read(question)
    return found !== undefined && matcher?.matches(found) === true
  }
}

type WithInput = Pick<Matcher_MatcherList_Predicate_SinglePredicate, 'input'>

function compileInput<I, A>(fields: Fields<WithInput>, kinds: MatchTreeKinds<I, A>): (question: I) => string | undefined {
  const input = fields.message('input')
  const config = input?.any('typed_config')
  input?.done({ name: 'the type decides' })
  const read = config && kinds.input(config, fields as Fields<never>)
  if (read === undefined) fields.problem(`${config?.typeName ?? 'nothing'} is not supported as an input here.`, 'input')
  return read ?? (() => undefined)
}

function compileTree<I, A>(fields: Fields<Matcher_MatcherTree>, kinds: MatchTreeKinds<I, A>): MatchTree<I, A> {
  const read = compileInput(fields as Fields<WithInput>, kinds)
  const exact = compileMap(fields.message('exact_match_map'), kinds)
  const prefix = compileMap(fields.message('prefix_match_map'), kinds)
  fields.done()
  if (exact !== undefined)
    return (question) => {
      const value = read(question)
      return value === undefined ? undefined : exact.get(value)?.(question)
    }
  const longestFirst = [...(prefix ?? [])].sort(([a], [b]) => b.length - a.length)
  if (prefix === undefined) fields.problem('needs one of exact_match_map, prefix_match_map.')
  return (question) => {
    const value = read(question)
    if (value === undefined) return undefined
    for (const [key, then] of longestFirst) {
      const found = value.startsWith(key) ? then(question) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
}

function compileMap<I, A>(
  fields: Fields<Matcher_MatcherTree_MatchMap> | undefined,
  kinds: MatchTreeKinds<I, A>,
): ReadonlyMap<string, MatchTree<I, A>> | undefined {
  if (fields === undefined) return undefined
  const map = new Map(fields.map('map').map(([key, entry]) => [key, onMatch(entry as Fields<Matcher_OnMatch>, kinds)] as const))
  fields.done()
  return map
}
