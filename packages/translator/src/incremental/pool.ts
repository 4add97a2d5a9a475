import { equal } from '@heddle/runtime'

/** Equal objects under one key become one object, which is forgotten when nobody else holds it. */
export interface Pool {
  intern<T extends object>(key: string, value: T): T
  /** Forgets keys whose objects are gone; looks at a part of the pool each time. */
  sweep(): void
}

const LOOKED_AT = 256

export function createPool(): Pool {
  const pool = new Map<string, WeakRef<object>[]>()
  let place: IterableIterator<[string, WeakRef<object>[]]> | undefined
  return {
    intern<T extends object>(key: string, value: T): T {
      const variants = pool.get(key)
      if (variants === undefined) {
        pool.set(key, [new WeakRef(value)])
        return value
      }
      for (const [i, variant] of variants.entries()) {
        const known = variant.deref()
        if (known === undefined) variants.splice(i, 1)
        else if (equal(known, value)) return known as T
      }
      variants.push(new WeakRef(value))
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
        const [key, variants] = value
        const alive = variants.filter((variant) => variant.deref() !== undefined)
        if (alive.length === 0) pool.delete(key)
        else if (alive.length < variants.length) pool.set(key, alive)
      }
    },
  }
}
