import type { HeaderMap } from '../header-map.js'
import type { Body, BodySink } from '../message.js'

/** Tells the reader of a connection that its body may flow, must wait, or is not wanted. */
export interface BodySource {
  /** There is somebody to give bytes to now: go on with what is at hand. */
  flow(): void
  stop(): void
}

const DROP: BodySink = { data: () => true, end() {}, abort() {} }

/** The body of a message that is being read from a connection. */
export class IncomingBody implements Body {
  readonly length: number | undefined
  /** Payload bytes so far. */
  received = 0
  readonly #source: BodySource
  #sink: BodySink | undefined
  #paused = false
  #over = false
  #error: Error | undefined

  constructor(length: number | undefined, source: BodySource) {
    this.length = length
    this.#source = source
  }

  /** Bytes can be given to somebody now. */
  get flowing(): boolean {
    return this.#sink !== undefined && !this.#paused
  }

  /** Somebody takes it, though perhaps not now. */
  get wanted(): boolean {
    return this.#sink !== undefined && this.#sink !== DROP
  }

  get over(): boolean {
    return this.#over
  }

  consume(sink: BodySink): void {
    this.#sink = sink
    if (this.#error !== undefined) sink.abort(this.#error)
    else if (!this.#over) this.#source.flow()
  }

  pause(): void {
    this.#paused = true
    if (!this.#over) this.#source.stop()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (!this.#over) this.#source.flow()
  }

  discard(): void {
    this.#sink = DROP
    this.#paused = false
    if (!this.#over) this.#source.flow()
  }

  /** From the connection. */
  push(chunk: Uint8Array): void {
    this.received += chunk.length
    if (this.#sink?.data(chunk) === false) this.pause()
  }

  finish(trailers?: HeaderMap): void {
    this.#over = true
    this.#sink?.end(trailers)
  }

  fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#error = error
    this.#sink?.abort(error)
  }
}
