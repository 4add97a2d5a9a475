import { HOST, PATH, TOKEN } from '../h1/tables.js'
import { KIND } from './header-field.js'
import { BAD_MESSAGE, INVALID_FIELD, type MessageHead } from './message-head.js'

/** What is wrong with a request's head, in Envoy's words; empty: nothing. RFC 9113 §8.3.1 and §8.5, RFC 8441. */
export function problemOfRequest(head: MessageHead, allowConnect: boolean, endStream = false): string {
  if (head.problem !== '') return head.problem
  if (head.has(KIND.status) || (head.has(KIND.protocol) && !allowConnect)) return INVALID_FIELD
  if (!head.has(KIND.method)) return BAD_MESSAGE
  if (head.method === '' || !consists(head.method, TOKEN)) return INVALID_FIELD
  if (head.method === 'CONNECT' && !head.has(KIND.protocol)) return problemOfTunnel(head)
  if (head.has(KIND.protocol) && head.method !== 'CONNECT') return BAD_MESSAGE
  if (!head.has(KIND.scheme) || !head.has(KIND.path)) return BAD_MESSAGE
  if (head.path === '' || !consists(head.path, PATH) || !/^[A-Za-z][A-Za-z0-9+.-]*$/.test(head.scheme)) return INVALID_FIELD
  if (head.path.charCodeAt(0) !== 47 && !(head.path === '*' && head.method === 'OPTIONS')) return BAD_MESSAGE
  // RFC 9113 §8.1.1: a body was told of, and none comes.
  return endStream && head.contentLength > 0 ? BAD_MESSAGE : problemOfAuthority(head)
}

function problemOfTunnel(head: MessageHead): string {
  if (head.has(KIND.scheme) || head.has(KIND.path) || !head.has(KIND.authority)) return BAD_MESSAGE
  return problemOfAuthority(head)
}

function problemOfAuthority(head: MessageHead): string {
  if (!head.settleAuthority()) return BAD_MESSAGE
  return (head.authority !== '' || !head.has(KIND.authority)) && consists(head.authority, HOST) ? '' : INVALID_FIELD
}

function consists(text: string, of: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (of[text.charCodeAt(i)] !== 1) return false
  return true
}
