import type { Clock } from '@heddle/runtime'

/** Tokens that come back steadily, `perFill` in each `fillMs`, up to `max`. */
export interface TokenBucket {
  /** Takes so many tokens, one by default; false when there are not enough, and none is taken. */
  take(tokens?: number): boolean
  /** Whole tokens that are left. */
  remaining(): number
  /** Milliseconds until the next whole token; 0: there is one. */
  nextMs(): number
}

export function createTokenBucket(
  { max, perFill, fillMs }: { max: number; perFill: number; fillMs: number },
  clock: Clock,
): TokenBucket {
  let tokens = max
  let at = clock.monotonic()
  const refill = (): void => {
    const now = clock.monotonic()
    tokens = Math.min(max, tokens + ((now - at) / fillMs) * perFill)
    at = now
  }
  return {
    take(wanted = 1) {
      refill()
      // A sum of many small fills may fall short of a whole token by a rounding error.
      if (tokens < wanted - 1e-9) return false
      tokens = Math.max(0, tokens - wanted)
      return true
    },
    remaining() {
      refill()
      return Math.floor(tokens + 1e-9)
    },
    nextMs() {
      refill()
      return tokens >= 1 - 1e-9 ? 0 : ((1 - tokens) / perFill) * fillMs
    },
  }
}
