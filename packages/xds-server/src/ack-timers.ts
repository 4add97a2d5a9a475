import type { Clock, Unsubscribe } from '@heddle/runtime'

/** How long each type's last response has been waiting for its answer. */
export interface AckTimers {
  start(typeUrl: string, nonce: string): void
  stop(typeUrl: string): void
  stopAll(): void
}

export function createAckTimers(clock: Clock, timeoutMs: number, expired: (typeUrl: string, nonce: string) => void): AckTimers {
  const timers = new Map<string, Unsubscribe>()
  const stop = (typeUrl: string): void => {
    timers.get(typeUrl)?.()
    timers.delete(typeUrl)
  }
  return {
    start(typeUrl, nonce) {
      stop(typeUrl)
      const expire = (): void => {
        timers.delete(typeUrl)
        expired(typeUrl, nonce)
      }
      timers.set(typeUrl, clock.after(timeoutMs, expire))
    },
    stop,
    stopAll() {
      for (const typeUrl of [...timers.keys()]) stop(typeUrl)
    },
  }
}
