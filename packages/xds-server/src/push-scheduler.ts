import type { Clock } from '@heddle/runtime'

/** Something that can be pushed to: one stream. */
export interface PushTarget {
  /** Sends the newest state. */
  push(): void
}

/**
 * Spreads pushes over turns of the event loop, so that a change for thousands of streams neither keeps requests waiting nor lets
 * one stream go twice before another went once.
 */
export interface PushScheduler {
  readonly pending: number
  /** Pushes to `target` soon; a target that waits already is not added again: it will see the newest state anyway. */
  schedule(target: PushTarget): void
  cancel(target: PushTarget): void
}

/** `perTurn`: pushes made before the event loop gets its turn; default 50. */
export function createPushScheduler({ clock, perTurn = 50 }: { clock: Clock; perTurn?: number }): PushScheduler {
  const queue = new Set<PushTarget>()
  let armed = false

  const run = (): void => {
    armed = false
    let pushed = 0
    for (const target of queue) {
      if (pushed++ >= perTurn) break
      queue.delete(target)
      target.push()
    }
    if (queue.size > 0) arm()
  }
  const arm = (): void => {
    if (armed) return
    armed = true
    clock.after(0, run)
  }
  return {
    get pending() {
      return queue.size
    },
    schedule(target) {
      queue.add(target)
      arm()
    },
    cancel(target) {
      queue.delete(target)
    },
  }
}
