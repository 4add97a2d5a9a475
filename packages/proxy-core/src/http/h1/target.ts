import { BAD_SCHEME, BAD_TARGET, CODEC_ERROR, type Head, type HeadProblem } from './head.js'

export interface Target {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly path: string
}

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i
const ABSOLUTE = /^(https?):\/\/([^/?#]*)([^#]*)$/i
const AUTHORITY = /^[^@,]+$/
/** Where a tunnel leads to (RFC 9112 §3.2.3): a port belongs to it. */
const TUNNEL = /^[^@,/]+:\d+$/

/**
 * The request target in its four forms (RFC 9112 §3.2), by hand: a URL parser would mend what must be refused. An absolute
 * form beats the Host field; its path may lack the slash, and is then refused as no path.
 */
export function readTarget(
  head: Pick<Head, 'method' | 'target' | 'host'>,
  scheme: 'http' | 'https',
  onlyPaths = false,
): Target | HeadProblem {
  const { method, target } = head
  if (method === 'CONNECT') return TUNNEL.test(target) ? { scheme, authority: target, path: '' } : BAD_TARGET
  if (target.charCodeAt(0) === 47) return { scheme, authority: head.host ?? '', path: target }
  if (target === '*') return method === 'OPTIONS' ? { scheme, authority: head.host ?? '', path: '*' } : BAD_TARGET
  if (onlyPaths) return { scheme, authority: head.host ?? '', path: target }
  const parts = ABSOLUTE.exec(target)
  if (parts === null || !AUTHORITY.test(parts[2]!)) return problemOf(target)
  return {
    scheme: parts[1]!.toLowerCase() as 'http' | 'https',
    authority: parts[2]!,
    path: parts[3]! === '' ? '/' : parts[3]!,
  }
}

function problemOf(target: string): HeadProblem {
  const scheme = SCHEME.exec(target)?.[1]?.toLowerCase()
  if (scheme === undefined) return CODEC_ERROR
  return scheme === 'http' || scheme === 'https' ? BAD_TARGET : BAD_SCHEME
}
