import type { Timer, Timers } from '../../net/timers.js'
import type { Http2Keepalive } from './options.js'

export interface KeepaliveEvents {
  ping(payload: Uint8Array): void
  /** Nothing was heard in time after a PING. */
  lost(): void
}

/** Envoy's connection_keepalive. Whatever the peer sends is an answer. */
export class Keepalive {
  readonly #options: Http2Keepalive
  readonly #events: KeepaliveEvents
  readonly #next: Timer
  readonly #answer: Timer
  readonly #payload = Buffer.alloc(8)

  constructor(options: Http2Keepalive, timers: Timers, events: KeepaliveEvents) {
    this.#options = options
    this.#events = events
    this.#next = timers.timer(() => this.probe())
    this.#answer = timers.timer(() => events.lost())
  }

  start(): void {
    if (this.#options.intervalMs > 0) this.#next.start(this.#options.intervalMs)
  }

  stop(): void {
    this.#next.stop()
    this.#answer.stop()
  }

  probe(): void {
    this.#payload.writeUInt32BE((this.#payload.readUInt32BE(4) + 1) >>> 0, 4)
    this.#events.ping(this.#payload)
    this.#answer.start(this.#options.timeoutMs)
  }

  heard(): void {
    if (!this.#answer.running) return
    this.#answer.stop()
    this.start()
  }
}
