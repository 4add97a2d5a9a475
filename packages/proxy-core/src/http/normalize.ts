/** Envoy's path normalisation. What comes out is what routes, policies and upstreams see: one path for all of them. */
export interface NormalizeOptions {
  /** A fragment is cut off; by default it refuses the request: parsers disagree on what it hides (CVE-2021-32779). */
  readonly stripFragment?: boolean
  readonly normalizePath: boolean
  readonly mergeSlashes: boolean
  readonly escapedSlashes: 'KEEP_UNCHANGED' | 'REJECT_REQUEST' | 'UNESCAPE_AND_REDIRECT' | 'UNESCAPE_AND_FORWARD'
}

export type Normalized =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'redirect'; readonly path: string }
  /** `path`: as far as it got, for the log. */
  | { readonly kind: 'reject'; readonly path: string }

const ESCAPED_SLASH = /%2f|%5c/gi
const UNRESERVED = /[A-Za-z0-9\-._~]/

/** `sent`: a path with its query. */
export function normalizePath(sent: string, options: NormalizeOptions): Normalized {
  if (isNormal(sent)) return { kind: 'path', path: sent }
  const fragment = sent.indexOf('#')
  if (fragment >= 0 && options.stripFragment !== true) return { kind: 'reject', path: sent }
  const path = fragment < 0 ? sent : sent.slice(0, fragment)
  const query = path.indexOf('?')
  let bare = query < 0 ? path : path.slice(0, query)
  const rest = query < 0 ? '' : path.slice(query)
  if (bare === '*') return { kind: 'path', path }
  let redirect = false
  if (options.escapedSlashes !== 'KEEP_UNCHANGED' && bare.search(ESCAPED_SLASH) >= 0) {
    redirect = options.escapedSlashes === 'UNESCAPE_AND_REDIRECT'
    bare = bare.replace(ESCAPED_SLASH, (escaped) => (escaped.toLowerCase() === '%2f' ? '/' : '\\'))
    if (options.escapedSlashes === 'REJECT_REQUEST') return { kind: 'reject', path: bare + rest }
  }
  if (options.normalizePath) {
    const canonical = canonicalPath(bare)
    if (canonical === undefined) return { kind: 'reject', path: bare + rest }
    bare = canonical
  }
  // After the dots: `/x//../admin` is `/x/admin`, as Envoy has it.
  if (options.mergeSlashes) bare = mergeSlashes(bare)
  return { kind: redirect ? 'redirect' : 'path', path: bare + rest }
}

/** No option would change it, as most paths are: no escape, backslash, dot segment, double slash or fragment. */
function isNormal(path: string): boolean {
  let last = 0
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code === QUESTION) return last !== 0 && path.indexOf('#', i) < 0
    if (code === PERCENT || code === BACKSLASH || code === HASH) return false
    if (last === SLASH ? code === SLASH || code === DOT : i === 0 && code !== SLASH) return false
    last = code
  }
  return last !== 0
}

const [QUESTION, PERCENT, BACKSLASH, HASH, SLASH, DOT] = [63, 37, 92, 35, 47, 46]

/** Unreserved characters decoded, `\` as `/`, dot segments removed (RFC 3986 §6.2.2, §5.2.4). Undefined: NUL or no absolute path. */
function canonicalPath(path: string): string | undefined {
  if (!path.startsWith('/') && !path.startsWith('\\')) return undefined
  if (!needsWork(path)) return path
  const decoded = decodeUnreserved(path)
  return decoded === undefined ? undefined : removeDotSegments(decoded.replaceAll('\\', '/'))
}

function needsWork(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i)
    if (code === 37 || code === 92) return true
    if (code === 46 && i > 0 && path.charCodeAt(i - 1) === 47) return true
  }
  return false
}

/** Stands for a `%` that escapes nothing; no path holds this character. */
const BARE_PERCENT = '\uffff'

/** Decoding must not make an escape of what was none: `%2%66` is not `%2f`. Such a percent sign is escaped itself, as in Envoy. */
function decodeUnreserved(path: string): string | undefined {
  let nul = false
  const decoded = path.replace(/%([0-9A-Fa-f]{2})?/g, (escaped, digits: string | undefined) => {
    if (digits === undefined) return BARE_PERCENT
    const code = Number.parseInt(digits, 16)
    if (code === 0) nul = true
    const character = String.fromCharCode(code)
    return UNRESERVED.test(character) ? character : escaped
  })
  if (nul) return undefined
  return decoded.replace(/\uffff([0-9A-Fa-f]{2})?/g, (_, digits: string | undefined) =>
    digits === undefined ? '%' : `%25${digits}`,
  )
}

function removeDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    if (segment === '.' || segment === '..') {
      if (segment === '..') kept.pop()
      if (last) kept.push('')
    } else kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/** Of nothing but slashes two stay, as in Envoy. */
function mergeSlashes(path: string): string {
  if (!path.includes('//')) return path
  const merged = path.replace(/\/{2,}/g, '/')
  return merged === '/' ? '//' : merged
}
