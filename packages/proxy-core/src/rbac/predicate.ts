import type { StringMatcher } from '../matcher/string.js'
import type { RbacQuestion } from './question.js'

/** One node of a policy. Pure. */
export interface RbacPredicate {
  matches(question: RbacQuestion): boolean
  /** Why it does not match: the first condition that misses. Only asked when it does not match. */
  miss(question: RbacQuestion): string
  /** How many of its conditions fit, for finding the nearest miss. */
  fits(question: RbacQuestion): number
  readonly text: string
  /** What a question must have for it to match; undefined: that cannot be told. */
  readonly needs?: Needs
}

/** One of these: the whole path without its query, or a principal; or how it begins. */
export interface Needs {
  readonly fact: 'path' | 'principal'
  readonly exact: readonly string[]
  readonly prefixes: readonly string[]
}

/** Of a condition on one fact. */
export function needsOf(fact: Needs['fact'], { fixed }: Pick<StringMatcher, 'fixed'>): Needs | undefined {
  if (fixed === undefined) return undefined
  const { kind, wanted } = fixed
  return kind === 'exact' ? { fact, exact: [wanted], prefixes: [] } : { fact, exact: [], prefixes: [wanted] }
}

export const ANY: RbacPredicate = { matches: () => true, miss: () => '', fits: () => 1, text: 'any' }
export const NONE: RbacPredicate = { matches: () => false, miss: () => 'matches nothing', fits: () => 0, text: 'nothing' }

/** A condition on one fact, `actual` of which is told when it misses. */
export function condition(
  name: string,
  wanted: string,
  matches: (question: RbacQuestion) => boolean,
  actual: (question: RbacQuestion) => string,
  needs?: Needs,
): RbacPredicate {
  return {
    ...(needs && { needs }),
    matches,
    miss: (question) => `${name} is ${actual(question)}, wanted ${wanted}`,
    fits: (question) => (matches(question) ? 1 : 0),
    text: `${name} ${wanted}`,
  }
}

export function all(parts: readonly RbacPredicate[]): RbacPredicate {
  if (parts.length === 1) return parts[0]!
  const needs = fewest(parts)
  return {
    ...(needs && { needs }),
    matches(question) {
      for (const part of parts) if (!part.matches(question)) return false
      return true
    },
    miss: (question) => parts.find((part) => !part.matches(question))?.miss(question) ?? '',
    fits: (question) => parts.reduce((sum, part) => sum + part.fits(question), 0),
    text: parts.map(({ text }) => text).join(' and '),
  }
}

/** Nothing to choose from matches nothing. */
export function any(parts: readonly RbacPredicate[]): RbacPredicate {
  if (parts.length === 0) return NONE
  if (parts.length === 1) return parts[0]!
  const needs = together(parts)
  return {
    ...(needs && { needs }),
    matches(question) {
      for (const part of parts) if (part.matches(question)) return true
      return false
    },
    miss: (question) => parts[nearest(parts, question).at]!.miss(question),
    fits: (question) => nearest(parts, question).fits,
    text: `(${parts.map(({ text }) => text).join(' or ')})`,
  }
}

export function not(part: RbacPredicate): RbacPredicate {
  return {
    matches: (question) => !part.matches(question),
    miss: () => `${part.text}, which is excluded`,
    fits: (question) => (part.matches(question) ? 0 : 1),
    text: `not ${part.text}`,
  }
}

/** Where all must match, what any of them needs is needed. */
function fewest(parts: readonly RbacPredicate[]): Needs | undefined {
  let best: Needs | undefined
  for (const { needs } of parts) if (needs !== undefined && (best === undefined || count(needs) < count(best))) best = needs
  return best
}

function count({ exact, prefixes }: Needs): number {
  return exact.length + prefixes.length
}

/** Where one is enough, something of what they all need. */
function together(parts: readonly RbacPredicate[]): Needs | undefined {
  const all = parts.map(({ needs }) => needs)
  const fact = all[0]?.fact
  if (fact === undefined || !all.every((needs) => needs?.fact === fact)) return undefined
  return { fact, exact: all.flatMap((needs) => needs!.exact), prefixes: all.flatMap((needs) => needs!.prefixes) }
}

/** Which of some, the first of them where several are, has most conditions that fit; each is asked once. */
export function nearest(parts: readonly RbacPredicate[], question: RbacQuestion): { readonly at: number; readonly fits: number } {
  let [at, fits] = [0, -1]
  parts.forEach((part, i) => {
    const own = part.fits(question)
    if (own > fits) [at, fits] = [i, own]
  })
  return { at, fits }
}
