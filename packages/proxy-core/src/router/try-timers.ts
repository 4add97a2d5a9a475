import type { Timer, Timers } from '../net/timers.js'
import type { RetryPolicy } from '../route/table.js'

/** per_try_timeout and per_try_idle_timeout of the attempts of one request, one attempt at a time. */
export class TryTimers {
  readonly #timers: Timers
  readonly #timedOut: (details: string) => void
  #whole: Timer | undefined
  #idle: Timer | undefined

  /** `timedOut` hears Envoy's response code details. */
  constructor(timers: Timers, timedOut: (details: string) => void) {
    this.#timers = timers
    this.#timedOut = timedOut
  }

  /** 0: no limit. */
  start(perTryMs: number, policy: RetryPolicy | undefined): void {
    const idleMs = policy?.perTryIdleTimeoutMs ?? 0
    if (perTryMs > 0) {
      this.#whole ??= this.#timers.timer(() => this.#timedOut('upstream_per_try_timeout'))
      this.#whole.start(perTryMs)
    }
    if (idleMs > 0) {
      this.#idle ??= this.#timers.timer(() => this.#timedOut('upstream_per_try_idle_timeout'))
      this.#idle.start(idleMs)
    }
  }

  stop(): void {
    this.#whole?.stop()
    this.#idle?.stop()
  }
}
