import { pathOnly } from '../route/match.js'
import type { Needs, RbacPredicate } from './predicate.js'
import type { RbacQuestion } from './question.js'

/** The first of several that matches, as if each were asked in turn. */
export type FirstMatch<T> = (question: RbacQuestion) => T | undefined

/** Fewer are asked one after the other. */
const WORTH_AN_INDEX = 4

/**
 * Most policies want one of a few paths or principals. Those are found by what the question has, so that a thousand policies cost what the
 * few cost that may match, and those whose needs cannot be told.
 */
export function firstMatch<T extends { readonly predicate: RbacPredicate }>(policies: readonly T[]): FirstMatch<T> {
  const paths = createTexts()
  const principals = createTexts()
  const others: number[] = []
  policies.forEach(({ predicate: { needs } }, at) => {
    if (needs === undefined) others.push(at)
    else (needs.fact === 'path' ? paths : principals).add(needs, at)
  })
  if (policies.length - others.length < WORTH_AN_INDEX)
    return (question) => policies.find(({ predicate }) => predicate.matches(question))
  return (question) => {
    const found: number[] = []
    if (question.head !== undefined) paths.find(pathOnly(question.head.path), found)
    if (question.authenticated && !principals.empty) for (const each of question.principals) principals.find(each, found)
    if (found.length > 1) found.sort((a, b) => a - b)
    return firstOf(policies, found, others, question)
  }
}

/** Both lists are in order, and so are the two together. */
function firstOf<T extends { readonly predicate: RbacPredicate }>(
  policies: readonly T[],
  found: readonly number[],
  others: readonly number[],
  question: RbacQuestion,
): T | undefined {
  let [i, k] = [0, 0]
  while (i < found.length || k < others.length) {
    const [one, other] = [found[i] ?? Infinity, others[k] ?? Infinity]
    if (one < other) i++
    else k++
    const policy = policies[Math.min(one, other)]!
    if (policy.predicate.matches(question)) return policy
  }
  return undefined
}

/** Numbers by whole texts, and by how texts begin. */
interface Texts {
  readonly empty: boolean
  add(needs: Needs, at: number): void
  /** Puts those of a text on the list, some perhaps twice. */
  find(text: string, into: number[]): void
}

function createTexts(): Texts {
  const whole = new Map<string, number[]>()
  const beginnings: { readonly length: number; readonly lists: Map<string, number[]> }[] = []
  const put = (map: Map<string, number[]>, text: string, at: number): void => {
    const list = map.get(text)
    if (list === undefined) map.set(text, [at])
    else list.push(at)
  }
  return {
    get empty() {
      return whole.size + beginnings.length === 0
    },
    add({ exact, prefixes }, at) {
      for (const text of exact) put(whole, text, at)
      for (const text of prefixes) {
        const { length } = text
        let of = beginnings.find((each) => each.length === length)
        if (of === undefined) beginnings.push((of = { length, lists: new Map() }))
        put(of.lists, text, at)
      }
    },
    find(text, into) {
      const list = whole.get(text)
      if (list !== undefined) for (const at of list) into.push(at)
      for (const { length, lists } of beginnings) {
        if (length > text.length) continue
        const more = lists.get(text.slice(0, length))
        if (more !== undefined) for (const at of more) into.push(at)
      }
    },
  }
}
