import type { RbacQuestion } from './question.js'

/** One node of a policy. Pure. */
export interface RbacPredicate {
  matches(question: RbacQuestion): boolean
  /** Why it does not match: the first condition that misses. Only asked when it does not match. */
  miss(question: RbacQuestion): string
  /** How many of its conditions fit, for finding the nearest miss. */
  fits(question: RbacQuestion): number
  readonly text: string
}

export const ANY: RbacPredicate = { matches: () => true, miss: () => '', fits: () => 1, text: 'any' }
export const NONE: RbacPredicate = { matches: () => false, miss: () => 'matches nothing', fits: () => 0, text: 'nothing' }

/** A condition on one fact, `actual` of which is told when it misses. */
export function condition(
  name: string,
  wanted: string,
  matches: (question: RbacQuestion) => boolean,
  actual: (question: RbacQuestion) => string,
): RbacPredicate {
  return {
    matches,
    miss: (question) => `${name} is ${actual(question)}, wanted ${wanted}`,
    fits: (question) => (matches(question) ? 1 : 0),
    text: `${name} ${wanted}`,
  }
}

export function all(parts: readonly RbacPredicate[]): RbacPredicate {
  if (parts.length === 1) return parts[0]!
  return {
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
  return {
    matches(question) {
      for (const part of parts) if (part.matches(question)) return true
      return false
    },
    miss: (question) => nearest(parts, question).miss(question),
    fits: (question) => nearest(parts, question).fits(question),
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

function nearest(parts: readonly RbacPredicate[], question: RbacQuestion): RbacPredicate {
  let best = parts[0]!
  for (const part of parts) if (part.fits(question) > best.fits(question)) best = part
  return best
}
