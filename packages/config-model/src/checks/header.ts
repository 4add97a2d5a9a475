import { into, refuse, type Site } from '../decode/site.js'
import type { HeaderOperations, Headers } from '../kinds/http-route.js'
import { CODE } from './code.js'
import { each, eachEntry } from './each.js'

const NAME = /^[-_A-Za-z0-9]+$/
const PSEUDO_HEADERS: readonly string[] = [':method', ':scheme', ':authority', ':path']
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const VALUE = /^[^\u0000-\u0008\u000A-\u001F\u007F]*$/

export function checkHeaderName(name: string, at: Site): void {
  if (name === '') refuse(at, CODE.header, 'header name cannot be empty')
  else if (!NAME.test(name)) refuse(at, CODE.header, `header name ${name} is not a valid header name`)
}

/** What a match may name beside headers: parts of a request that HTTP/2 has as headers, and claims of a token. */
export function isMatchName(name: string): boolean {
  return PSEUDO_HEADERS.includes(name) || isClaimName(name)
}

/** `@request.auth.claims.x` and `@request.auth.claims[x][y]`: routing by a claim of a token. */
export function isClaimName(name: string): boolean {
  const lower = name.toLowerCase()
  return /^@request\.auth\.claims(?:\..+|(?:\[[^\]]+\])+)$/.test(lower)
}

/** What is added to, set in and removed from a request and a response. */
export function checkHeaders(headers: Headers | undefined, site: Site): void {
  if (headers === undefined) return
  const at = into(site, 'headers')
  checkOperations(headers.request, into(at, 'request'), true)
  checkOperations(headers.response, into(at, 'response'), false)
}

function checkOperations(operations: HeaderOperations | undefined, at: Site, authority: boolean): void {
  if (operations === undefined) return
  const checkEntry = (name: string, value: string, place: Site): void => {
    if (!(authority && isAuthority(name))) checkOperationName(name, place)
    checkHeaderValue(value, place)
  }
  eachEntry(operations.add, at, 'add', checkEntry)
  eachEntry(operations.set, at, 'set', checkEntry)
  each(operations.remove, at, 'remove', checkOperationName)
}

export function isAuthority(name: string): boolean {
  const lower = name.toLowerCase()
  return lower === ':authority' || lower === 'host'
}

function checkOperationName(name: string, at: Site): void {
  if (name === '') refuse(at, CODE.header, 'header name cannot be empty')
  else if (name.toLowerCase() === 'host') refuse(at, CODE.header, `invalid header "${name}": cannot set Host header`)
  else if (name.startsWith(':')) refuse(at, CODE.header, `invalid header "${name}": header cannot have ":" prefix`)
}

function checkHeaderValue(value: string, at: Site): void {
  if (!VALUE.test(value)) refuse(at, CODE.header, 'header value has control characters')
  const problem = formatProblem(value)
  if (problem !== undefined) refuse(at, CODE.header, `header value configuration: ${problem}`)
}

// Envoy's formatter: `%%` is a percent sign, `%NAME%` and `%NAME(arguments):width%` are commands.
function formatProblem(value: string): string | undefined {
  for (let at = value.indexOf('%'); at >= 0; at = value.indexOf('%', at)) {
    if (value[at + 1] === '%') {
      at += 2
      continue
    }
    const command = /^%[A-Za-z0-9_]+(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?(?::\d+)?%/.exec(value.slice(at))
    if (command === null) return `"${value}" has a % that begins no command: write %% for a percent sign`
    at += command[0].length
  }
  return undefined
}
