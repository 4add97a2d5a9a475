import { fail, ok, problem, type Result } from '@heddle/runtime'
import { RE2JS } from 're2js'

/** Longest pattern that is compiled (CVE-2022-39278 was a giant one); Envoy's own guard is a program size. */
export const MAX_PATTERN_LENGTH = 1024
const CACHE_SIZE = 4096

/** A regular expression with RE2's syntax and linear time. */
export interface Regex {
  readonly pattern: string
  /** Of the whole text, as everywhere in Envoy's matchers. */
  matchesAll(text: string): boolean
  /** Replaces every match; `substitution` has `\0` to `\9` for groups. */
  replaceAll(text: string, substitution: string): string
}

const cache = new Map<string, Result<Regex>>()

/** Compiles once per pattern; a bad or too long one is `regex.invalid`. */
export function compileRegex(pattern: string, path: string): Result<Regex> {
  const known = cache.get(pattern)
  const result = known ?? compile(pattern)
  if (known === undefined) {
    if (cache.size >= CACHE_SIZE) cache.clear()
    cache.set(pattern, result)
  }
  return result.ok ? result : fail(...result.diagnostics.map((diagnostic) => ({ ...diagnostic, path })))
}

function compile(pattern: string): Result<Regex> {
  if (pattern.length > MAX_PATTERN_LENGTH)
    return fail(problem('regex.invalid', '', `the regular expression is longer than ${MAX_PATTERN_LENGTH} characters.`))
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    return fail(
      problem(
        'regex.invalid',
        '',
        `${JSON.stringify(pattern)} is no RE2 regular expression: ${error instanceof Error ? error.message : error}.`,
      ),
    )
  }
  return ok({
    pattern,
    matchesAll: (text) => compiled.testExact(text),
    replaceAll: (text, substitution) => replaceAll(compiled, text, substitution),
  })
}

// RE2's rewrite syntax is `\1`, re2js's is Java's `$1`: the groups are put together by hand.
function replaceAll(regex: RE2JS, text: string, substitution: string): string {
  const matcher = regex.matcher(text)
  let out = ''
  let from = 0
  while (matcher.find()) {
    // RE2's GlobalReplace: no empty match where the last match ended.
    if (from > 0 && matcher.end() === from && matcher.start() === from) continue
    out += text.slice(from, matcher.start())
    out += substitution.replace(/\\(\d|\\)/g, (_, group: string) =>
      group === '\\' ? '\\' : (matcher.group(Number(group)) ?? ''),
    )
    from = matcher.end()
  }
  return out + text.slice(from)
}
