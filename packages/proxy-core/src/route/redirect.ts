import type { LocalReply } from '../http/message.js'
import { pathOnly } from './match.js'
import type { PathRewrite } from './rewrite.js'
import type { RequestHead } from './table.js'

/** RedirectAction, compiled. Empty texts: as the request has it. */
export interface Redirect {
  readonly status: number
  readonly httpsRedirect: boolean
  readonly scheme: string
  readonly host: string
  /** 0: as the request has it. */
  readonly port: number
  readonly path: string
  readonly rewrite?: PathRewrite
  readonly stripQuery: boolean
}

export function redirectReply(redirect: Redirect, head: RequestHead): LocalReply {
  const from = requestScheme(head)
  const scheme = redirect.scheme !== '' ? redirect.scheme : redirect.httpsRedirect ? 'https' : from
  const port = redirect.port === 0 ? '' : `:${redirect.port}`
  const host = redirect.host !== '' ? redirect.host : redirectHost(head.authority, from, scheme, port !== '')
  const location = `${scheme}://${host}${port}${redirectPath(redirect, head.path)}`
  return { status: redirect.status, body: '', details: 'direct_response', headers: [['location', location]] }
}

/** x-forwarded-proto goes before what the connection says. */
export function requestScheme(head: RequestHead): string {
  return head.headers.get('x-forwarded-proto') ?? head.scheme
}

// A default port goes when the scheme changes; any other stays unless a port is given.
function redirectHost(authority: string, from: string, to: string, newPort: boolean): string {
  const at = authority.startsWith('[') ? authority.lastIndexOf(']:') + 1 : authority.lastIndexOf(':')
  if (at <= 0) return authority
  const port = authority.slice(at)
  const standard = from !== to && ((from === 'https' && port === ':443') || (from === 'http' && port === ':80'))
  return newPort || standard ? authority.slice(0, at) : authority
}

function redirectPath({ path, rewrite, stripQuery }: Redirect, requested: string): string {
  const bare = pathOnly(requested)
  const query = stripQuery ? '' : requested.slice(bare.length)
  if (path !== '') return absolute(path.includes('?') ? path : path + query)
  // A rewrite that leaves nothing is none.
  return absolute((rewrite?.(bare) || bare) + query)
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}
