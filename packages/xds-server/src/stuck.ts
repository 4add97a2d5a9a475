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
  let cancel: Unsubscribe | undefined
  const stop = (): void => {
    cancel?.()
    cancel = undefined
  }
  const owes = (): void => {
    cancel ??= clock.after(afterMs, () => {
      cancel = undefined
      refuse({ code: STATUS.deadlineExceeded, message: `the client has read or answered nothing for ${afterMs / 1_000} s` })
    })
  }
  return {
    owes,
    alive(still) {
      stop()
      if (still) owes()
    },
    stop,
  }
}
