import type { Clock, Unsubscribe } from '@heddle/runtime'

/** A timer that is made once and started often: starting and stopping it moves one link. */
export interface Timer {
  readonly running: boolean
  /** From now, Clock.monotonic, which who knows it may tell; a running timer starts anew. 0 or less stops it, as `0` in Envoy's timeouts means none. */
  start(ms: number, now?: number): void
  stop(): void
}

/** Many timers on one of the clock's: what a request needs, where a timer of its own would cost more than the rest of it. */
export interface Timers {
  timer(run: () => void): Timer
}

const SLOTS = 512

/** A hashed wheel. Timers fire up to `tickMs` (default 5) late, never early. */
export function createTimers(options: { clock: Clock; tickMs?: number }): Timers {
  const wheel = new Wheel(options.clock, options.tickMs ?? 5)
  return { timer: (run) => new Link(wheel, run) }
}

class Link implements Timer {
  next: Link | undefined
  previous: Link | undefined
  slot = -1
  dueTick = 0
  readonly run: () => void
  readonly #wheel: Wheel

  constructor(wheel: Wheel, run: () => void) {
    this.#wheel = wheel
    this.run = run
  }

  get running(): boolean {
    return this.slot >= 0
  }

  start(ms: number, now?: number): void {
    if (this.slot >= 0) this.#wheel.remove(this)
    if (ms > 0) this.#wheel.add(this, ms, now)
  }

  stop(): void {
    if (this.slot >= 0) this.#wheel.remove(this)
  }
}

class Wheel {
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #slots: (Link | undefined)[] = new Array(SLOTS).fill(undefined)
  #count = 0
  #passedTick: number
  /** The tick for which the clock's timer is set. */
  #wakeTick = Number.POSITIVE_INFINITY
  #stopWake: Unsubscribe | undefined

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock
    this.#tickMs = tickMs
    this.#passedTick = this.#tickAt(clock.monotonic())
  }

  add(link: Link, ms: number, now: number = this.#clock.monotonic()): void {
    const due = Math.ceil((now + ms) / this.#tickMs)
    if (this.#count === 0) this.#passedTick = this.#tickAt(now)
    link.dueTick = Math.max(due, this.#passedTick + 1)
    link.slot = link.dueTick % SLOTS
    const first = this.#slots[link.slot]
    link.next = first
    link.previous = undefined
    if (first !== undefined) first.previous = link
    this.#slots[link.slot] = link
    this.#count++
    if (link.dueTick < this.#wakeTick) this.#wakeAt(link.dueTick, now)
  }

  remove(link: Link): void {
    if (link.previous === undefined) this.#slots[link.slot] = link.next
    else link.previous.next = link.next
    if (link.next !== undefined) link.next.previous = link.previous
    link.next = link.previous = undefined
    link.slot = -1
    this.#count--
  }

  #tickAt(ms: number): number {
    return Math.floor(ms / this.#tickMs)
  }

  #wakeAt(tick: number, now: number): void {
    this.#stopWake?.()
    this.#wakeTick = tick
    this.#stopWake = this.#clock.after(Math.max(0, tick * this.#tickMs - now), () => this.#wake())
  }

  #wake(): void {
    this.#stopWake = undefined
    this.#wakeTick = Number.POSITIVE_INFINITY
    const due: Link[] = []
    const tick = this.#tickAt(this.#clock.monotonic())
    const from = Math.max(this.#passedTick + 1, tick - SLOTS + 1)
    for (let t = from; t <= tick; t++) {
      for (let link = this.#slots[t % SLOTS]; link !== undefined; link = link.next) if (link.dueTick <= tick) due.push(link)
    }
    this.#passedTick = Math.max(this.#passedTick, tick)
    // A timer that an earlier one stops or starts anew does not fire.
    const dueTicks = due.map((link) => link.dueTick)
    for (const [i, link] of due.entries()) {
      if (link.slot < 0 || link.dueTick !== dueTicks[i]) continue
      this.remove(link)
      link.run()
    }
    if (this.#count > 0) this.#sleep()
  }

  /** Until the next slot that holds anything; it may turn out to be for a later round. */
  #sleep(): void {
    const now = this.#clock.monotonic()
    for (let ahead = 1; ahead <= SLOTS; ahead++) {
      const tick = this.#passedTick + ahead
      if (this.#slots[tick % SLOTS] === undefined) continue
      if (tick < this.#wakeTick) this.#wakeAt(tick, now)
      return
    }
  }
}
