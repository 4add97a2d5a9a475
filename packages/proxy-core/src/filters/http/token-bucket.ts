import type { Clock } from '@heddle/runtime'

/** Tokens that come back steadily, `perFill` in each `fillMs`, up to `max`. */
export interface TokenBucket {
  /** Takes one token; false when there is none. */
  take(): boolean
  /** Whole tokens that are left. */
  remaining(): number
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
    take() {
      refill()
      // A sum of many small fills may fall short of a whole token by a rounding error.
      if (tokens < 1 - 1e-9) return false
      tokens = Math.max(0, tokens - 1)
      return true
    },
    remaining() {
      refill()
      return Math.floor(tokens + 1e-9)
    },
  }
}
