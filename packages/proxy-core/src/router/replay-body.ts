import type { HeaderMap } from '../http/header-map.js'
import type { Body, BodySink } from '../http/message.js'

/**
 * One request body for several readers: attempts that follow one another, and mirrors beside them. Chunks are kept up to a
 * limit; beyond it nothing can be sent again, and only what a reader has still to take is kept.
 */
export interface ReplayBody {
  /** Everything that came so far can be sent again. */
  readonly replayable: boolean
  readonly ended: boolean
  /** Another reader, from the beginning. Undefined when the beginning is gone. `lossy`: it must not hold up the others, and is cut off when it lags. */
  open(lossy?: boolean): Body | undefined
  /** Nothing more is sent again: what every reader has taken is let go. */
  seal(): void
  /** Nobody wants the rest. */
  close(): void
}

export function createReplayBody(source: Body, limit: number): ReplayBody {
  return new Replay(source, limit)
}

class Replay implements ReplayBody, BodySink {
  readonly length: number | undefined
  /** The place of `chunks[0]` in the whole. */
  first = 0
  readonly chunks: Uint8Array[] = []
  ended = false
  trailers: HeaderMap | undefined
  error: Error | undefined
  readonly #source: Body
  readonly #limit: number
  readonly #readers = new Set<Reader>()
  #bytes = 0
  #started = false
  #sealed = false
  #paused = false

  constructor(source: Body, limit: number) {
    this.#source = source
    this.#limit = limit
    this.length = source.length
  }

  get replayable(): boolean {
    return !this.#sealed && this.first === 0
  }

  open(lossy = false): Body | undefined {
    if (this.first > 0) return undefined
    const reader = new Reader(this, lossy)
    this.#readers.add(reader)
    return reader
  }

  seal(): void {
    this.#sealed = true
    this.#trim()
  }

  close(): void {
    this.seal()
    if (!this.ended) this.#source.discard()
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    this.#source.consume(this)
  }

  data(chunk: Uint8Array): boolean {
    this.chunks.push(Buffer.from(chunk))
    this.#bytes += chunk.length
    if (this.#bytes > this.#limit) this.#sealed = true
    for (const reader of [...this.#readers]) {
      if (reader.lossy && reader.lag() > this.#limit) reader.cutOff()
      else reader.pump()
    }
    this.#trim()
    this.#paused = this.#blocked()
    return !this.#paused
  }

  end(trailers?: HeaderMap): void {
    this.ended = true
    this.trailers = trailers
    for (const reader of [...this.#readers]) reader.pump()
  }

  abort(error: Error): void {
    this.error = error
    for (const reader of [...this.#readers]) reader.pump()
  }

  closed(reader: Reader): void {
    this.#readers.delete(reader)
    this.moved()
  }

  /** A reader took something, or went: the source may go on. */
  moved(): void {
    this.#trim()
    if (!this.#paused || this.#blocked()) return
    this.#paused = false
    this.#source.resume()
  }

  #blocked(): boolean {
    for (const reader of this.#readers) if (!reader.lossy && reader.blocked) return true
    return false
  }

  #trim(): void {
    if (!this.#sealed) return
    let taken = this.first + this.chunks.length
    for (const reader of this.#readers) taken = Math.min(taken, reader.next)
    const drop = taken - this.first
    if (drop <= 0) return
    this.chunks.splice(0, drop)
    this.first = taken
  }
}

class Reader implements Body {
  readonly length: number | undefined
  readonly lossy: boolean
  next = 0
  readonly #replay: Replay
  #sink: BodySink | undefined
  #paused = false
  #pumping = false
  #over = false

  constructor(replay: Replay, lossy: boolean) {
    this.#replay = replay
    this.lossy = lossy
    this.length = replay.length
  }

  get blocked(): boolean {
    return this.#paused || this.#sink === undefined
  }

  consume(sink: BodySink): void {
    this.#sink = sink
    this.pump()
    this.#replay.start()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.pump()
    this.#replay.moved()
  }

  discard(): void {
    if (this.#over) return
    this.#over = true
    this.#replay.closed(this)
  }

  /** Bytes that wait for this reader. */
  lag(): number {
    let bytes = 0
    for (let i = this.next - this.#replay.first; i < this.#replay.chunks.length; i++) bytes += this.#replay.chunks[i]!.length
    return bytes
  }

  cutOff(): void {
    const sink = this.#sink
    this.discard()
    sink?.abort(new Error('the reader of a copy was too slow'))
  }

  pump(): void {
    if (this.#pumping || this.#sink === undefined) return
    this.#pumping = true
    const replay = this.#replay
    while (!this.#paused && !this.#over && this.next < replay.first + replay.chunks.length) {
      const chunk = replay.chunks[this.next++ - replay.first]!
      if (!this.#sink.data(chunk)) this.#paused = true
    }
    this.#pumping = false
    if (this.#over || this.#paused || this.next < replay.first + replay.chunks.length) return
    if (replay.error !== undefined) {
      this.#over = true
      this.#sink.abort(replay.error)
      replay.closed(this)
    } else if (replay.ended) {
      this.#over = true
      this.#sink.end(replay.trailers)
      replay.closed(this)
    }
  }
}
