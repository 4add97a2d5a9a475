import type { Clock } from '@heddle/runtime'
import type { PeerIdentity } from './access.js'
import type { Limits } from './limits.js'
import { type CloseStatus, STATUS } from './transport.js'

/** Counts open streams and lets no more in than the limits say (xds-protocol 80, 81). */
export interface Admission {
  /** Takes a place, or says why there is none. */
  enter(identity: PeerIdentity): CloseStatus | undefined
  /** Gives the place back. */
  leave(identity: PeerIdentity): void
}

export function createAdmission(limits: Limits, clock: Clock): Admission {
  const byIdentity = new Map<string, number>()
  const bucket = createTokenBucket(limits.newStreamsPerSecond, limits.newStreamsBurst, clock)
  let open = 0
  return {
    enter({ id }) {
      const own = byIdentity.get(id) ?? 0
      if (open >= limits.streams) return exhausted(`the server has all the ${limits.streams} streams it may have`)
      if (id !== '' && own >= limits.streamsPerIdentity) return exhausted(`${id} has all the ${own} streams it may have`)
      if (!bucket.take()) return exhausted(`more than ${limits.newStreamsPerSecond} new streams a second; come back later`)
      open++
      byIdentity.set(id, own + 1)
      return undefined
    },
    leave({ id }) {
      open--
      const left = (byIdentity.get(id) ?? 1) - 1
      if (left === 0) byIdentity.delete(id)
      else byIdentity.set(id, left)
    },
  }
}

function createTokenBucket(perSecond: number, burst: number, clock: Clock): { take(): boolean } {
  let tokens = burst
  let filledAt = clock.monotonic()
  return {
    take() {
      const now = clock.monotonic()
      tokens = Math.min(burst, tokens + ((now - filledAt) / 1_000) * perSecond)
      filledAt = now
      if (tokens < 1) return false
      tokens--
      return true
    },
  }
}

function exhausted(message: string): CloseStatus {
  return { code: STATUS.resourceExhausted, message }
}
