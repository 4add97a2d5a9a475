import type { Clock, Unsubscribe } from '@heddle/runtime'

/** How long each type's last response has been waiting for its answer. */
export interface AckTimers {
  start(typeUrl: string, nonce: string): void
  stop(typeUrl: string): void
  stopAll(): void
}

interface Waiting {
  readonly nonce: string
  readonly until: number
}

export function createAckTimers(clock: Clock, timeoutMs: number, expired: (typeUrl: string, nonce: string) => void): AckTimers {
  const waiting = new Map<string, Waiting>()
  let alarm: Unsubscribe | undefined
  // One timer for all types, which is not set anew with each answer: most answers come long before it, and it then finds nothing to do.
  const arm = (inMs: number): void => {
    alarm ??= clock.after(inMs, () => {
      alarm = undefined
      const now = clock.monotonic()
      for (const [typeUrl, { nonce, until }] of [...waiting]) {
        if (until > now) continue
        waiting.delete(typeUrl)
        expired(typeUrl, nonce)
      }
      const next = Math.min(...[...waiting.values()].map(({ until }) => until))
      if (next !== Number.POSITIVE_INFINITY) arm(Math.max(0, next - now))
    })
  }
  return {
    start(typeUrl, nonce) {
      waiting.set(typeUrl, { nonce, until: clock.monotonic() + timeoutMs })
      arm(timeoutMs)
    },
    stop: (typeUrl) => void waiting.delete(typeUrl),
    stopAll() {
      waiting.clear()
      alarm?.()
      alarm = undefined
    },
  }
}
