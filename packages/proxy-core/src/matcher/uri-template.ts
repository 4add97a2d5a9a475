import { fail, ok, problem, type Result } from '@heddle/runtime'
import { compileRegex, type Regex } from './regex.js'

/** A path template of Envoy's uri_template matcher: `*` one segment, `**` any rest, `{name}` and `{name=pattern}` the same with a name. */
export interface UriTemplate {
  readonly text: string
  readonly regex: Regex
  /** In the order of their groups. */
  readonly variables: readonly string[]
}

// RFC 3986 pchar, without the slash that separates segments.
const SEGMENT = "[a-zA-Z0-9._~%!$&'()+,;:@=*-]"
const LITERAL = /^[a-zA-Z0-9._~%!$&'()+,;:@=-]$/
const MAX_VARIABLES = 5
const NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,15}$/

interface Part {
  readonly regex: string
  readonly last: boolean
}

/** Code `uri_template.invalid` for what Envoy refuses too. */
export function compileUriTemplate(text: string, path: string): Result<UriTemplate> {
  const refuse = (why: string): Result<UriTemplate> =>
    fail(problem('uri_template.invalid', path, `${JSON.stringify(text)}: ${why}.`))
  if (!text.startsWith('/')) return refuse('a template starts with "/"')
  const variables: string[] = []
  let regex = ''
  let closed = false
  for (let at = 0; at < text.length; ) {
    const end = tokenEnd(text, at)
    if (end === undefined) return refuse('a "{" is not closed')
    const token = text.slice(at, end)
    const part = compileToken(token, variables)
    if (part === undefined) return refuse(`${JSON.stringify(token)} is neither literal, "*", "**" nor a variable`)
    if (closed && part.regex.includes('[')) return refuse('"**" must be the last operator')
    closed ||= part.last
    regex += part.regex
    at = end
  }
  if (variables.length > MAX_VARIABLES) return refuse(`there are more than ${MAX_VARIABLES} variables`)
  if (new Set(variables).size !== variables.length) return refuse('a variable is named twice')
  const compiled = compileRegex(regex, path)
  return compiled.ok ? ok({ text, regex: compiled.value, variables }) : compiled
}

/** What a template's variables become in `rewrite`, as a regular expression's substitution; every variable must be known. */
export function compileUriRewrite(template: UriTemplate, rewrite: string, path: string): Result<string> {
  let unknown: string | undefined
  const substitution = rewrite.replace(/\\/g, '\\\\').replace(/\{([^}]*)\}/g, (_, name: string) => {
    const group = template.variables.indexOf(name)
    if (group < 0) unknown = name
    return `\\${group + 1}`
  })
  return unknown === undefined
    ? ok(substitution)
    : fail(problem('uri_template.invalid', path, `{${unknown}} is no variable of ${template.text}.`))
}

function tokenEnd(text: string, at: number): number | undefined {
  if (text.startsWith('**', at)) return at + 2
  if (text[at] !== '{') return at + 1
  const close = text.indexOf('}', at)
  return close < 0 ? undefined : close + 1
}

function compileToken(token: string, variables: string[]): Part | undefined {
  if (token === '*') return { regex: `${SEGMENT}+`, last: false }
  if (token === '**') return { regex: `(?:${SEGMENT}|/)*`, last: true }
  if (token === '/') return { regex: '/', last: false }
  if (!token.startsWith('{')) return LITERAL.test(token) ? { regex: quote(token), last: false } : undefined
  const [name = '', pattern = '*'] = token.slice(1, -1).split('=')
  if (!NAME.test(name)) return undefined
  variables.push(name)
  let inner = ''
  let last = false
  for (let at = 0; at < pattern.length; ) {
    const end = tokenEnd(pattern, at) ?? pattern.length
    const part: Part | undefined = pattern[at] === '{' || last ? undefined : compileToken(pattern.slice(at, end), variables)
    if (part === undefined) return undefined
    inner += part.regex
    last = part.last
    at = end
  }
  return { regex: `(${inner})`, last }
}

function quote(character: string): string {
  return character.replace(/[.$()+]/, '\\$&')
}
