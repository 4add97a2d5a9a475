import type { HttpRequest } from '../http/message.js'
import type { Regex } from '../matcher/regex.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import { pathOnly } from './match.js'

/** regex_rewrite and its like. */
export interface RegexSubstitution {
  readonly regex: Regex
  readonly substitution: string
}

/** How a route changes the path; the query always stays. */
export type PathRewrite = (path: string, entry?: AccessLogEntry) => string

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
  request.path = rewrite(original, entry)
  if (!request.headers.has('x-envoy-original-path')) request.headers.append('x-envoy-original-path', original)
}

export function rewriteHost(request: HttpRequest, host: string, appendForwardedHost: boolean): void {
  const original = request.authority
  if (appendForwardedHost) {
    const earlier = request.headers.getAll('x-forwarded-host').join(',')
    request.headers.set('x-forwarded-host', earlier === '' ? original : `${earlier},${original}`)
  }
  if (!request.headers.has('x-envoy-original-host')) request.headers.append('x-envoy-original-host', original)
  request.authority = host
}
