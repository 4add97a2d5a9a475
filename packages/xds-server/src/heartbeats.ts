import type { Clock, Unsubscribe } from '@heddle/runtime'
import type { VersionedResource } from '@heddle/xds-types'

/** Says when it is time to tell a client that its resources with a TTL are still what they are (xds-protocol 61). */
export interface Heartbeats {
  /** Enters what was sent. */
  sent(resources: readonly VersionedResource[]): void
  stop(): void
}

/** `beat` comes three times within the shortest TTL that was sent, so that one that is lost harms nobody. */
export function createHeartbeats(clock: Clock, beat: () => void): Heartbeats {
  let every = Number.POSITIVE_INFINITY
  let stop: Unsubscribe | undefined
  const arm = (): void => {
    stop?.()
    stop = clock.after(every, () => {
      arm()
      beat()
    })
  }
  return {
    sent(resources) {
      const shortest = Math.min(...resources.map(({ ttl = Number.POSITIVE_INFINITY }) => (ttl * 1_000) / 3))
      if (shortest >= every) return
      every = shortest
      arm()
    },
    stop: () => stop?.(),
  }
}
