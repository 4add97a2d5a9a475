import { pieceWatched } from '../http/body-transform.js'
import type { Body, LocalReply } from '../http/message.js'
import type { Timer, Timers } from '../net/timers.js'

/** What limits one attempt, by Envoy's response code details. */
export type TryLimit = 'upstream_per_try_timeout' | 'upstream_per_try_idle_timeout' | 'upstream_max_stream_duration_reached'

/** per_try_timeout, per_try_idle_timeout and the upstream's max_stream_duration, of the attempts of one request, one at a time. */
export class TryTimers {
  readonly #timers: Timers
  readonly #reached: (limit: TryLimit) => void
  #whole: Timer | undefined
  #idle: Timer | undefined
  #idleMs = 0
  #longest: Timer | undefined

  constructor(timers: Timers, reached: (limit: TryLimit) => void) {
    this.#timers = timers
    this.#reached = reached
  }

  /** An attempt begins; 0: no limit. */
  start(perTryMs: number, idleMs: number): void {
    this.#idleMs = idleMs
    if (perTryMs > 0) {
      this.#whole ??= this.#timers.timer(() => this.#reached('upstream_per_try_timeout'))
      this.#whole.start(perTryMs)
    }
    if (idleMs > 0) {
      this.#idle ??= this.#timers.timer(() => this.#reached('upstream_per_try_idle_timeout'))
      this.#idle.start(idleMs)
    }
  }

  /** It has a connection: max_stream_duration counts from here. */
  connected(longestMs: number): void {
    this.#longest ??= this.#timers.timer(() => this.#reached('upstream_max_stream_duration_reached'))
    this.#longest.start(longestMs)
  }

  /** An answer has begun, which per_try_timeout does not cut off. */
  answered(): void {
    this.#whole?.stop()
    this.heard()
  }

  /** The body of the attempt, either way, with its pieces heard where a pause would end it. */
  watched(body: Body): Body {
    return this.#idle?.running === true && body.length !== 0 ? pieceWatched(body, () => this.heard()) : body
  }

  /** Something went to the upstream, or came from it. */
  heard(): void {
    if (this.#idle?.running === true) this.#idle.start(this.#idleMs)
  }

  stop(): void {
    this.#whole?.stop()
    this.#idle?.stop()
    this.#longest?.stop()
  }
}

/** What the client is told of an upstream's max_stream_duration; `requestRead`: who was slow is not the client. */
export function maxDurationReply(requestRead: boolean): LocalReply {
  return {
    status: requestRead ? 504 : 408,
    body: 'upstream max stream duration reached',
    details: 'upstream_max_stream_duration_reached',
    flag: 'UMSDR',
  }
}
