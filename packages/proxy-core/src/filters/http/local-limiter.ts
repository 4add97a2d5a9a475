import { type Clock, dropOldest } from '@heddle/runtime'
import type { Descriptor, DescriptorEntry } from '../../route/rate-limit.js'
import { createTokenBucket, type TokenBucket } from './token-bucket.js'

export interface BucketConfig {
  readonly max: number
  readonly perFill: number
  readonly fillMs: number
}

/** A bucket of its own for requests with these entries; an empty value is any, and each value has a bucket. */
export interface LimitedDescriptor {
  readonly entries: readonly DescriptorEntry[]
  readonly bucket: BucketConfig
}

export interface LocalLimits {
  /** Undefined: what no descriptor takes is not limited. */
  readonly bucket: BucketConfig | undefined
  readonly descriptors: readonly LimitedDescriptor[]
  /** A request that descriptors take costs a token of the default bucket, too. */
  readonly alwaysDefault: boolean
  /** Buckets that a descriptor with a value left open may have; the oldest goes. */
  readonly maxDynamic: number
}

/** What a request has met: the bucket that speaks for it, if there is one. */
export interface LimitVerdict {
  readonly allowed: boolean
  readonly config: BucketConfig | undefined
  remaining(): number
  /** Milliseconds until it has a token again. */
  nextMs(): number
}

export interface LocalLimiter {
  take(descriptors: readonly Descriptor[]): LimitVerdict
}

interface Bucket {
  readonly config: BucketConfig
  readonly tokens: TokenBucket
}

/** Envoy's local rate limiter: the slowest of the buckets that a request belongs to is asked first, the default one last. */
export function createLocalLimiter({ bucket, descriptors, alwaysDefault, maxDynamic }: LocalLimits, clock: Clock): LocalLimiter {
  const bucketOf = (config: BucketConfig): Bucket => ({ config, tokens: createTokenBucket(config, clock) })
  const fallback = bucket && bucketOf(bucket)
  const finders = descriptors.map((limited) => finderOf(limited, maxDynamic, bucketOf))
  // They say what is left when they are asked.
  const [taken, refused] = [verdict(true, fallback), verdict(false, fallback)]
  return {
    take(made) {
      if (made.length === 0) return fallback === undefined || fallback.tokens.take() ? taken : refused
      const matched: { bucket: Bucket; hits: number }[] = []
      for (const { entries, hits_addend: hits = 1 } of made)
        for (const find of finders) {
          const found = find(entries)
          if (found !== undefined) matched.push({ bucket: found, hits })
        }
      matched.sort((a, b) => rateOf(a.bucket) - rateOf(b.bucket))
      for (const { bucket: own, hits } of matched) if (!own.tokens.take(hits)) return verdict(false, own)
      const [first] = matched
      if (first !== undefined && !alwaysDefault) return verdict(true, first.bucket)
      if (fallback !== undefined && !fallback.tokens.take()) return refused
      return verdict(true, first?.bucket ?? fallback)
    },
  }
}

const rateOf = ({ config }: Bucket): number => config.perFill / config.fillMs

function verdict(allowed: boolean, bucket: Bucket | undefined): LimitVerdict {
  return {
    ...{ allowed, config: bucket?.config },
    remaining: () => bucket?.tokens.remaining() ?? 0,
    nextMs: () => bucket?.tokens.nextMs() ?? 0,
  }
}

/** The bucket of a descriptor that has exactly these entries. */
function finderOf(
  { entries: wanted, bucket }: LimitedDescriptor,
  most: number,
  bucketOf: (config: BucketConfig) => Bucket,
): (entries: readonly DescriptorEntry[]) => Bucket | undefined {
  const fits = (entries: readonly DescriptorEntry[]): boolean =>
    entries.length === wanted.length &&
    wanted.every(({ key, value }, i) => key === entries[i]?.key && (value === '' || value === entries[i]?.value))
  if (wanted.every(({ value }) => value !== '')) {
    const own = bucketOf(bucket)
    return (entries) => (fits(entries) ? own : undefined)
  }
  const dynamic = new Map<string, Bucket>()
  return (entries) => {
    if (!fits(entries)) return undefined
    const key = JSON.stringify(entries.map(({ value }) => value))
    const known = dynamic.get(key)
    // The one used last is the last to go.
    dynamic.delete(key)
    const found = known ?? bucketOf(bucket)
    dynamic.set(key, found)
    dropOldest(dynamic, most)
    return found
  }
}
