import type { Head } from './head.js'

export interface Target {
  readonly scheme: 'http' | 'https'
  readonly authority: string
  readonly path: string
}

const ABSOLUTE = /^(https?):\/\/([^/?#]*)([^#]*)$/i
const AUTHORITY = /^[^@,]+$/

/**
 * The request target in its four forms (RFC 9112 §3.2), by hand: a URL parser would mend what must be refused. Undefined:
 * malformed. An absolute form beats the Host field.
 */
export function readTarget(head: Head, scheme: 'http' | 'https'): Target | undefined {
  const { method, target } = head
  if (method === 'CONNECT')
    return AUTHORITY.test(target) && !target.includes('/') ? { scheme, authority: target, path: '' } : undefined
  if (target.charCodeAt(0) === 47) return { scheme, authority: head.host ?? '', path: target }
  if (target === '*') return method === 'OPTIONS' ? { scheme, authority: head.host ?? '', path: '*' } : undefined
  const parts = ABSOLUTE.exec(target)
  if (parts === null || !AUTHORITY.test(parts[2]!)) return undefined
  const rest = parts[3]!
  return {
    scheme: parts[1]!.toLowerCase() as 'http' | 'https',
    authority: parts[2]!,
    path: rest.startsWith('/') ? rest : `/${rest}`,
  }
}
