import type { StringMatch } from '../../kinds/common.js'
import { type Automaton, compile } from './automaton.js'
import { type Budget, contains } from './contains.js'
import { ANYTHING, literal, type Node } from './node.js'
import { parseRegex } from './parse.js'

/** A match of a text, of which upper and lower case may be one. */
export interface TextMatch {
  readonly match: StringMatch
  readonly ignoreCase?: boolean
}

/** About a second of work: a folder with more regexes than that gets no answer about the rest. */
const TOTAL = 5_000_000

/** Asks whether one match takes all texts that another takes. Remembers automata by pattern. */
export type Covers = (outer: TextMatch, inner: TextMatch) => boolean

export function createCovers(): Covers {
  const budget: Budget = { left: TOTAL }
  const automata = new Map<string, Automaton | undefined>()
  const automatonOf = (text: TextMatch): Automaton | undefined => {
    const key = `${text.ignoreCase === true} ${JSON.stringify(text.match)}`
    if (!automata.has(key)) automata.set(key, toAutomaton(text))
    return automata.get(key)
  }
  return (outer, inner) => {
    const plain = coversPlainly(outer, inner)
    if (plain !== undefined) return plain
    const [a, b] = [automatonOf(outer), automatonOf(inner)]
    return a !== undefined && b !== undefined && contains(a, b, budget)
  }
}

// Exact texts and prefixes are compared as they are; undefined: a regex has a part in it.
function coversPlainly(outer: TextMatch, inner: TextMatch): boolean | undefined {
  if ('regex' in outer.match && 'regex' in inner.match && outer.match.regex === inner.match.regex) return true
  if ('regex' in outer.match || 'regex' in inner.match) return undefined
  if (inner.ignoreCase === true && outer.ignoreCase !== true && /[a-z]/i.test(textOf(outer))) return false
  const fold = outer.ignoreCase === true
  const [a, b] = [textOf(outer), textOf(inner)].map((text) => (fold ? text.toLowerCase() : text)) as [string, string]
  return 'prefix' in outer.match ? b.startsWith(a) : 'exact' in inner.match && a === b
}

function textOf({ match }: TextMatch): string {
  return 'exact' in match ? match.exact : 'prefix' in match ? match.prefix : ''
}

function toAutomaton({ match, ignoreCase = false }: TextMatch): Automaton | undefined {
  const node = toNode(match, ignoreCase)
  return node === undefined ? undefined : compile(node)
}

function toNode(match: StringMatch, ignoreCase: boolean): Node | undefined {
  if ('exact' in match) return literal(match.exact, ignoreCase)
  if ('prefix' in match) return { type: 'concat', nodes: [literal(match.prefix, ignoreCase), ANYTHING] }
  return parseRegex(match.regex)
}
