import { equal } from '@heddle/runtime'

/** Equal objects under one key become one object, which is forgotten when nobody else holds it. */
export interface Pool {
  intern<T extends object>(key: string, value: T): T
  /** Forgets what is gone; looks at a part of the pool each time. */
  sweep(): void
}

const LOOKED_AT = 1_024

export function createPool(): Pool {
  const pool = new Map<string, WeakRef<object>>()
  // Of what is in the pool: a list of pooled objects is as cheap to look up as it is long.
  const hashes = new WeakMap<object, number>()
  let place: IterableIterator<[string, WeakRef<object>]> | undefined
  return {
    intern<T extends object>(key: string, value: T): T {
      const hash = hashOf(value, hashes)
      const place = `${key}\u0000${hash}`
      const known = pool.get(place)?.deref()
      // Of two with one hash only the later is kept.
      if (known !== undefined && equal(known, value)) return known as T
      pool.set(place, new WeakRef(value))
      hashes.set(value, hash)
      return value
    },
    sweep() {
      place ??= pool.entries()
      for (let i = 0; i < LOOKED_AT; i++) {
        const { value, done } = place.next()
        if (done === true) {
          place = undefined
          return
        }
        if (value[1].deref() === undefined) pool.delete(value[0])
      }
    },
  }
}

/** 32 bits of what plain data says; the order of keys counts. */
function hashOf(value: unknown, known: WeakMap<object, number>): number {
  switch (typeof value) {
    case 'string':
      return hashText(value)
    case 'number':
      return mix(3, value | 0)
    case 'boolean':
      return value ? 5 : 7
    case 'object': {
      if (value === null) return 11
      const cached = known.get(value)
      if (cached !== undefined) return cached
      let hash = Array.isArray(value) ? 13 : 17
      if (Array.isArray(value)) for (const element of value) hash = mix(hash, hashOf(element, known))
      else
        for (const key in value) {
          hash = mix(hash, hashText(key))
          hash = mix(hash, hashOf((value as Record<string, unknown>)[key], known))
        }
      return hash
    }
    default:
      return 19
  }
}

function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

function mix(hash: number, next: number): number {
  return Math.imul(((hash << 13) | (hash >>> 19)) ^ next, 0x85ebca6b) | 0
}
