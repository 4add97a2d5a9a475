import type { Clock, Unsubscribe } from '@heddle/runtime'
import { type CloseStatus, STATUS } from './transport.js'

/** Watches a client that owes something: answers, or reading what it was sent (xds-protocol 78). */
export interface StuckWatch {
  /** It was sent something. The time runs from its last sign of life, however much it is sent meanwhile. */
  owes(): void
  /** It has read or answered; `still`: it owes more. */
  alive(still: boolean): void
  stop(): void
}

export function createStuckWatch(clock: Clock, afterMs: number, refuse: (status: CloseStatus) => void): StuckWatch {
  // Since when it owes something without a sign of life.
  let since: number | undefined
  let cancel: Unsubscribe | undefined
  // One timer, which is not set anew with each answer: most come long before it, and it then finds nothing to do.
  const arm = (inMs: number): void => {
    cancel ??= clock.after(inMs, () => {
      cancel = undefined
      if (since === undefined) return
      const left = since + afterMs - clock.monotonic()
      if (left > 0) arm(left)
      else refuse({ code: STATUS.deadlineExceeded, message: `the client has read or answered nothing for ${afterMs / 1_000} s` })
    })
  }
  const owes = (): void => {
    since ??= clock.monotonic()
    arm(afterMs)
  }
  return {
    owes,
    alive(still) {
      since = undefined
      if (still) owes()
    },
    stop() {
      since = undefined
      cancel?.()
      cancel = undefined
    },
  }
}
