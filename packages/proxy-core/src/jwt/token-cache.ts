import { dropOldest } from '@heddle/runtime'
import type { Jwt } from './token.js'

/** Tokens whose signature has been verified under keys that are still in force; the least recently used go first. */
export interface TokenCache {
  /** A token that was good once, under whatever keys: it need not be read again. */
  peek(text: string): Jwt | undefined
  get(text: string, keys: object): Jwt | undefined
  set(text: string, keys: object, jwt: Jwt): void
}

/** Tokens longer than `maxTokenBytes` are not kept. New keys make all that it knows void. */
export function createTokenCache(entries: number, maxTokenBytes: number): TokenCache {
  const known = new Map<string, Jwt>()
  let under: object | undefined
  // The one used last: to compare a text is cheaper than to hash it, and clients come again with the same one.
  let [last, lastJwt]: [string, Jwt | undefined] = ['', undefined]
  const find = (text: string): Jwt | undefined => (lastJwt !== undefined && text === last ? lastJwt : known.get(text))
  return {
    peek: find,
    get(text, keys) {
      if (keys !== under) return undefined
      const jwt = find(text)
      if (jwt === undefined || jwt === lastJwt) return jwt
      known.delete(text)
      known.set(text, jwt)
      last = text
      lastJwt = jwt
      return jwt
    },
    set(text, keys, jwt) {
      if (text.length > maxTokenBytes) return
      if (keys !== under) known.clear()
      under = keys
      lastJwt = undefined
      known.set(text, jwt)
      dropOldest(known, entries)
    },
  }
}
