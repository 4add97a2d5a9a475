import type { HeaderMap } from './header-map.js'
import type { Body, BodySink } from './message.js'

/** The beginning of a body, and a body that still is the whole of it. */
export interface PeekedBody {
  /** No more than was asked for. */
  readonly bytes: Uint8Array
  /** `bytes` is all there was when they were looked at. */
  readonly whole: boolean
  readonly body: Body
}

/** Waits for `limit` bytes, or for the end. Rejects when the sender is gone first. */
export function peekBody(source: Body, limit: number): Promise<PeekedBody> {
  return new Promise((resolve, reject) => {
    const peeked = new Peeked(source, limit, resolve, reject)
    source.consume(peeked)
  })
}

/** A body that is read up to `limit` bytes while nobody wants it yet, as Envoy does while a filter makes a request wait. */
export function readAhead(source: Body, limit: number): Body {
  const peeked = new Peeked(
    source,
    limit,
    () => {},
    () => {},
  )
  source.consume(peeked)
  return peeked
}

class Peeked implements Body, BodySink {
  readonly length: number | undefined
  readonly #source: Body
  readonly #limit: number
  readonly #resolve: (peeked: PeekedBody) => void
  readonly #reject: (error: Error) => void
  readonly #held: Buffer[] = []
  #heldBytes = 0
  #told = false
  #sink: BodySink | undefined
  #paused = false
  #ended = false
  #over = false
  #trailers: HeaderMap | undefined
  #error: Error | undefined

  constructor(source: Body, limit: number, resolve: (peeked: PeekedBody) => void, reject: (error: Error) => void) {
    this.length = source.length
    this.#source = source
    this.#limit = limit
    this.#resolve = resolve
    this.#reject = reject
  }

  data(chunk: Uint8Array): boolean {
    if (this.#sink !== undefined && this.#held.length === 0 && !this.#paused) return this.#sink.data(chunk)
    this.#held.push(Buffer.from(chunk))
    this.#heldBytes += chunk.length
    if (this.#heldBytes < this.#limit && !this.#told) return true
    this.#tell()
    return false
  }

  end(trailers?: HeaderMap): void {
    this.#ended = true
    this.#trailers = trailers
    this.#tell()
    this.#flow()
  }

  abort(error: Error): void {
    this.#error = error
    if (!this.#told) this.#reject(error)
    this.#told = true
    this.#sink?.abort(error)
  }

  #tell(): void {
    if (this.#told) return
    this.#told = true
    const held = Buffer.concat(this.#held, this.#heldBytes)
    this.#resolve({ bytes: held.subarray(0, this.#limit), whole: held.length <= this.#limit, body: this })
  }

  consume(sink: BodySink): void {
    this.#sink = sink
    if (this.#error !== undefined) sink.abort(this.#error)
    else this.#flow()
  }

  pause(): void {
    this.#paused = true
    this.#source.pause()
  }

  resume(): void {
    this.#paused = false
    this.#flow()
  }

  discard(): void {
    this.#over = true
    this.#held.length = 0
    this.#source.discard()
  }

  #flow(): void {
    const sink = this.#sink
    if (sink === undefined || this.#over || this.#error !== undefined) return
    while (!this.#paused && this.#held.length > 0) if (!sink.data(this.#held.shift()!)) this.#paused = true
    if (this.#paused) return
    if (!this.#ended) {
      this.#source.resume()
      return
    }
    this.#over = true
    sink.end(this.#trailers)
  }
}
