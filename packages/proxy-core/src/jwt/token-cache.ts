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
  return {
    peek: (text) => known.get(text),
    get(text, keys) {
      if (keys !== under) return undefined
      const jwt = known.get(text)
      if (jwt === undefined) return undefined
      known.delete(text)
      known.set(text, jwt)
      return jwt
    },
    set(text, keys, jwt) {
      if (text.length > maxTokenBytes) return
      if (keys !== under) known.clear()
      under = keys
      known.set(text, jwt)
      if (known.size > entries) known.delete(known.keys().next().value!)
    },
  }
}
