import { RE2JS } from 're2js'
import { refuse, type Site } from '../decode/site.js'
import type { StringMatch } from '../kinds/common.js'
import { CODE } from './code.js'

const MAX_LENGTH = 1024

/** Whether an RE2 pattern fits any part of the text, in linear time; one that is no pattern fits nothing. */
export function matchesRegex(pattern: string, text: string): boolean {
  try {
    return RE2JS.compile(pattern).matcher(text).find()
  } catch {
    return false
  }
}

/** What is wrong with an RE2 pattern; undefined: nothing. */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_LENGTH) return `regex is too large, max length allowed is ${MAX_LENGTH}`
  try {
    RE2JS.compile(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export function checkRegex(pattern: string, at: Site): void {
  const problem = regexProblem(pattern)
  if (problem !== undefined)
    refuse(at, CODE.regex, `${problem}; patterns have RE2 syntax (https://github.com/google/re2/wiki/Syntax)`)
}

/** The regex of a match, if it is one. */
export function checkMatchRegex(match: StringMatch | undefined, at: Site): void {
  if (match === undefined || !('regex' in match)) return
  if (match.regex === '') refuse(at, CODE.regex, 'regex string match should not be empty')
  else checkRegex(match.regex, at)
}

/** As {@link checkMatchRegex}, and an empty prefix is refused. */
export function checkStringMatch(match: StringMatch | undefined, at: Site): void {
  if (match !== undefined && 'prefix' in match && match.prefix === '')
    refuse(at, CODE.invalid, 'prefix string match should not be empty')
  checkMatchRegex(match, at)
}
