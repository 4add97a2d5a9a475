import type { Clock, Unsubscribe } from '@heddle/runtime'

/** A time for each type, of the same length: until an answer must have come, or what is gone is told. */
export interface TypeTimers {
  start(typeUrl: string, nonce: string): void
  stop(typeUrl: string): void
  stopAll(): void
}

/** Of one type; kept when it ends, since the next response follows soon. */
interface Waiting {
  nonce: string
  /** Infinite: nothing waits. */
  until: number
}

export function createTypeTimers(clock: Clock, timeoutMs: number, expired: (typeUrl: string, nonce: string) => void): TypeTimers {
  const waiting = new Map<string, Waiting>()
  let alarm: Unsubscribe | undefined
  // One timer for all types, which is not set anew with each answer: most answers come long before it, and it then finds nothing to do.
  const arm = (inMs: number): void => {
    alarm ??= clock.after(inMs, () => {
      alarm = undefined
      const now = clock.monotonic()
      for (const [typeUrl, each] of [...waiting]) {
        if (each.until > now) continue
        each.until = Number.POSITIVE_INFINITY
        expired(typeUrl, each.nonce)
      }
      const next = Math.min(...[...waiting.values()].map(({ until }) => until))
      if (next !== Number.POSITIVE_INFINITY) arm(Math.max(0, next - now))
    })
  }
  return {
    start(typeUrl, nonce) {
      const until = clock.monotonic() + timeoutMs
      const last = waiting.get(typeUrl)
      if (last === undefined) waiting.set(typeUrl, { nonce, until })
      else {
        last.nonce = nonce
        last.until = until
      }
      arm(timeoutMs)
    },
    stop(typeUrl) {
      const last = waiting.get(typeUrl)
      if (last !== undefined) last.until = Number.POSITIVE_INFINITY
    },
    stopAll() {
      waiting.clear()
      alarm?.()
      alarm = undefined
    },
  }
}
