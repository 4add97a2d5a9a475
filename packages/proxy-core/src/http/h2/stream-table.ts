import type { CodecStats } from '../codec.js'
import { Http2Error } from './error.js'
import type { FloodGuard } from './flood-guard.js'
import { ERROR_CODE } from './frames.js'
import type { Http2Stream } from './stream.js'
import { StreamSlots } from './stream-slots.js'

/** Streams that we reset: frames for them are still under way. */
const MAX_REMEMBERED = 2048

/** The streams of a connection, and what is known of those that are over (RFC 9113 §5.1). */
export class StreamTable {
  readonly #isServer: boolean
  readonly #guard: FloodGuard
  readonly #stats: CodecStats
  readonly #streams = new StreamSlots()
  readonly #resetHere = new Set<number>()
  #lastPeer = 0
  #lastOwn = 0
  /** Streams that the peer has opened. */
  #ofPeer = 0

  constructor(isServer: boolean, guard: FloodGuard, stats: CodecStats) {
    this.#isServer = isServer
    this.#guard = guard
    this.#stats = stats
  }

  get size(): number {
    return this.#streams.size
  }

  /** Of the streams that the peer has opened, the newest. */
  get lastPeer(): number {
    return this.#lastPeer
  }

  get(streamId: number): Http2Stream | undefined {
    return this.#streams.get(streamId)
  }

  has(streamId: number): boolean {
    return this.#streams.get(streamId) !== undefined
  }

  /** Those of now: they may be ended meanwhile. */
  all(): readonly Http2Stream[] {
    return this.#streams.all()
  }

  add(stream: Http2Stream, byPeer: boolean): void {
    if (byPeer) {
      this.#lastPeer = stream.id
      this.#ofPeer++
    } else this.#lastOwn = stream.id
    this.#guard.streams++
    this.#stats.streamsActive.add(1)
    this.#streams.add(stream)
  }

  /** A stream of the peer that is refused before anybody sees it. */
  refuse(streamId: number): void {
    this.#lastPeer = Math.max(this.#lastPeer, streamId)
    this.#ofPeer++
    this.wasReset(streamId)
  }

  /** False: it was gone already. */
  delete(stream: Http2Stream): boolean {
    if (!this.#streams.delete(stream)) return false
    this.#stats.streamsActive.add(-1)
    return true
  }

  wasReset(streamId: number): void {
    this.#resetHere.add(streamId)
    if (this.#resetHere.size <= MAX_REMEMBERED) return
    for (const oldest of this.#resetHere) {
      this.#resetHere.delete(oldest)
      return
    }
  }

  /** No frame has opened it yet. */
  isIdle(streamId: number): boolean {
    const ofPeer = (streamId & 1) === (this.#isServer ? 1 : 0)
    return ofPeer ? streamId > this.#lastPeer : streamId > this.#lastOwn
  }

  /** Frames for a stream that is not there: still under way when we reset it, or not allowed. */
  checkStray(streamId: number, what: string): void {
    if (this.isIdle(streamId)) throw new Http2Error(ERROR_CODE.protocolError, `${what} on an idle stream`)
    if (!this.#resetHere.has(streamId)) throw new Http2Error(ERROR_CODE.streamClosed, `${what} on a closed stream`)
  }

  /** HEADERS for a stream that is over. False: it must be a new one. */
  isStray(streamId: number): boolean {
    if (this.#resetHere.has(streamId)) return true
    if (this.isIdle(streamId)) return false
    // Where none was left out, every lower one was open once.
    const skipped = this.#ofPeer * 2 <= this.#lastPeer
    const code = skipped ? ERROR_CODE.protocolError : ERROR_CODE.streamClosed
    throw new Http2Error(code, 'HEADERS on a stream that is closed')
  }
}
