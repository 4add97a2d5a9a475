import type { HttpRequest } from '../http/message.js'
import type { Regex } from '../matcher/regex.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import { pathOnly } from './match.js'

/** regex_rewrite and its like. */
export interface RegexSubstitution {
  readonly regex: Regex
  readonly substitution: string
}

/** How a route changes the path; the query always stays. Undefined: it is left as it is. */
export type PathRewrite = (path: string, entry?: AccessLogEntry) => string | undefined

/** `matched`: how many characters of the path the route's match took; undefined takes all of it. */
export function prefixRewrite(replacement: string, matched: number | undefined): PathRewrite {
  return (path) => replacement + path.slice(matched ?? pathOnly(path).length)
}

export function regexRewrite({ regex, substitution }: RegexSubstitution): PathRewrite {
  return (path) => {
    const bare = pathOnly(path)
    return regex.replaceAll(bare, substitution) + path.slice(bare.length)
  }
}

/** What becomes the Host; undefined leaves it. */
export type HostRewrite = (request: HttpRequest, entry: AccessLogEntry) => string | undefined

export function rewritePath(request: HttpRequest, rewrite: PathRewrite, entry: AccessLogEntry): void {
  const original = request.path
  const path = rewrite(original, entry)
  // A format that gives nothing is no rewrite; what a client says was its path is not believed.
  if (path === undefined) return
  request.path = path
  request.headers.set('x-envoy-original-path', original)
}

/** Envoy's updateAuthority: x-forwarded-host does not say the same host twice in a row. */
export function rewriteHost(request: HttpRequest, host: string, appendForwardedHost: boolean): void {
  const original = request.authority
  if (appendForwardedHost && original !== '') {
    const earlier = request.headers.getAll('x-forwarded-host').join(',')
    if (earlier === '') request.headers.set('x-forwarded-host', original)
    else if (earlier.slice(earlier.lastIndexOf(',') + 1) !== original)
      request.headers.set('x-forwarded-host', `${earlier},${original}`)
  }
  if (original !== '') request.headers.set('x-envoy-original-host', original)
  request.authority = host
}
