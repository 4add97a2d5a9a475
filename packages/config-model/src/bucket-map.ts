/**
 * An immutable map of texts in which one change copies a 256th: what lets a snapshot be taken after every batch of a large mesh. A
 * `set` to undefined deletes.
 */
export interface BucketMap<V> {
  get(key: string): V | undefined
  /** A map with `changes` laid over this one; this one stays as it is. */
  with(changes: Iterable<readonly [key: string, value: V | undefined]>): BucketMap<V>
}

const BUCKETS = 256
// Never written: `with` copies.
const EMPTY: readonly undefined[] = new Array<undefined>(BUCKETS).fill(undefined)

export function createBucketMap<V>(): BucketMap<V> {
  return wrap<V>(EMPTY)
}

function wrap<V>(buckets: readonly (ReadonlyMap<string, V> | undefined)[]): BucketMap<V> {
  return {
    get: (key) => buckets[bucketOf(key)]?.get(key),
    with(changes) {
      const next = [...buckets]
      const own = new Map<number, Map<string, V>>()
      for (const [key, value] of changes) {
        const at = bucketOf(key)
        const bucket = own.get(at) ?? new Map(buckets[at])
        if (value === undefined) bucket.delete(key)
        else bucket.set(key, value)
        own.set(at, bucket)
        next[at] = bucket
      }
      return wrap(next)
    },
  }
}

// FNV-1a, folded.
function bucketOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (BUCKETS - 1)
}
