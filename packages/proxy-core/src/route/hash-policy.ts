import { headerValues } from '../matcher/header.js'
import { queryParameter } from '../matcher/query.js'
import type { RequestHead } from './table.js'

export type HashSource =
  | { readonly kind: 'header'; readonly name: string; readonly rewrite?: (value: string) => string }
  /** ttlMs undefined: a client without the cookie gets none. 0: a session cookie. */
  | {
      readonly kind: 'cookie'
      readonly name: string
      readonly ttlMs?: number
      readonly path: string
      readonly attributes: string
    }
  | { readonly kind: 'source_ip' }
  | { readonly kind: 'query_parameter'; readonly name: string }

export interface HashPolicy {
  readonly source: HashSource
  readonly terminal: boolean
}

type Hash = (head: RequestHead, source: string, setCookie?: (cookie: string) => void) => bigint | undefined

const MASK = (1n << 64n) - 1n

/** Of routes without a policy. */
export const NO_HASH: Hash = () => undefined

/** Joins the hashes of all policies that found something, as Envoy does: rotate left by one, then xor. */
export function createRequestHash(policies: readonly HashPolicy[], hash64: (text: string, seed?: bigint) => bigint): Hash {
  if (policies.length === 0) return NO_HASH
  return (head, source, setCookie) => {
    let hash: bigint | undefined
    for (const policy of policies) {
      const next = hashOf(policy.source, head, source, hash64, setCookie)
      if (next !== undefined) hash = hash === undefined ? next : (((hash << 1n) | (hash >> 63n)) & MASK) ^ next
      if (policy.terminal && hash !== undefined) break
    }
    return hash
  }
}

function hashOf(
  policy: HashSource,
  head: RequestHead,
  source: string,
  hash64: (text: string, seed?: bigint) => bigint,
  setCookie: ((cookie: string) => void) | undefined,
): bigint | undefined {
  switch (policy.kind) {
    case 'header': {
      const values = headerValues(head, policy.name)
      if (values.length === 0) return undefined
      // Several values are sorted first, so that their order does not matter; each hash seeds the next.
      const rewritten = policy.rewrite === undefined ? values : values.map(policy.rewrite)
      return [...rewritten].sort().reduce((seed, value) => hash64(value, seed), 0n)
    }
    case 'source_ip':
      return source === '' ? undefined : hash64(source)
    case 'query_parameter': {
      const value = queryParameter(head.path, policy.name)
      return value === undefined ? undefined : hash64(value)
    }
    case 'cookie': {
      const value = cookieValue(head, policy.name)
      if (value !== undefined && value !== '') return hash64(value)
      if (policy.ttlMs === undefined || setCookie === undefined) return undefined
      const made = hash64(`${source} ${head.authority} ${policy.name}`).toString(16).padStart(16, '0')
      const age = policy.ttlMs === 0 ? '' : `; Max-Age=${Math.trunc(policy.ttlMs / 1000)}`
      setCookie(
        `${policy.name}="${made}"${age}${policy.path === '' ? '' : `; Path=${policy.path}`}${policy.attributes}; HttpOnly`,
      )
      return hash64(made)
    }
  }
}

/** The first cookie of that name; quotes around its value are taken off. */
export function cookieValue(head: RequestHead, name: string): string | undefined {
  for (const line of head.headers.getAll('cookie')) {
    for (const part of line.split(';')) {
      const equals = part.indexOf('=')
      if (equals < 0 || part.slice(0, equals).trim() !== name) continue
      const value = part.slice(equals + 1).trim()
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
    }
  }
  return undefined
}
