import type { Clock, Unsubscribe } from '@heddle/runtime'
import type { AccessLogSink, LinePieces } from './access-log.js'

export interface BufferedSinkOptions {
  clock: Clock
  /** Writes a block of lines, whose memory is used again afterwards; a rejection loses the block and is told to `onError`. */
  write(block: Buffer): Promise<void>
  onError?(error: unknown): void
  /** How long a line may wait. 100 by default. */
  flushIntervalMs?: number
  /** Bytes after which a block is written at once. 65,536 by default. */
  maxBufferedLength?: number
  /** Lines are dropped, and counted, while more than this waits for a slow disk. 16 MiB by default. */
  maxPendingLength?: number
}

export interface BufferedSink extends AccessLogSink {
  readonly pieces: LinePieces
  /** Lines that a full buffer cost. */
  readonly dropped: number
  /** Resolves when everything written so far is out. */
  flush(): Promise<void>
}

/** Collects lines and writes them in blocks of whole lines, one write at a time, in order. */
export function createBufferedSink(options: BufferedSinkOptions): BufferedSink {
  return new Sink(options)
}

// A UTF-16 unit takes no more in UTF-8.
const MOST_BYTES_PER_UNIT = 3
const ROOM_FOR_A_LINE = 8192

const [SPACE, QUOTE, BACKSLASH, TILDE] = [32, 34, 92, 126] as const

/** Lines become bytes at once: texts that wait are dear to collect. */
class Sink implements BufferedSink, LinePieces {
  readonly pieces: LinePieces = this
  dropped = 0
  readonly #options: BufferedSinkOptions
  readonly #flushIntervalMs: number
  readonly #maxBuffered: number
  readonly #maxPending: number
  readonly #blockBytes: number
  #block: Buffer
  /** A block that has been written, for the next one. */
  #spare: Buffer | undefined
  #used = 0
  /** Where the line begins that is being written. */
  #line = 0
  #skipping = false
  #pending = 0
  #tail: Promise<void> = Promise.resolve()
  #timer: Unsubscribe | undefined

  constructor(options: BufferedSinkOptions) {
    const { flushIntervalMs = 100, maxBufferedLength = 65_536, maxPendingLength = 16 * 1024 * 1024 } = options
    this.#options = options
    this.#flushIntervalMs = flushIntervalMs
    this.#maxBuffered = maxBufferedLength
    this.#maxPending = maxPendingLength
    this.#blockBytes = maxBufferedLength + ROOM_FOR_A_LINE
    this.#block = NOTHING
  }

  write(line: string): void {
    this.add(line)
    this.end()
  }

  add(text: string): void {
    if (this.#skipping) return
    const { length } = text
    if (this.#used + length * MOST_BYTES_PER_UNIT > this.#block.length && !this.#makeRoom(length * MOST_BYTES_PER_UNIT)) return
    const block = this.#block
    let at = this.#used
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) {
        this.#used += block.write(text, this.#used)
        return
      }
      block[at++] = code
    }
    this.#used = at
  }

  addJson(text: string): void {
    if (this.#skipping) return
    const { length } = text
    const most = length * MOST_BYTES_PER_UNIT + 2
    if (this.#used + most > this.#block.length && !this.#makeRoom(most)) return
    const block = this.#block
    let at = this.#used
    block[at++] = QUOTE
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code < SPACE || code > TILDE || code === QUOTE || code === BACKSLASH) {
        this.add(JSON.stringify(text))
        return
      }
      block[at++] = code
    }
    block[at++] = QUOTE
    this.#used = at
  }

  end(): void {
    if (this.#skipping) {
      this.#skipping = false
      this.#used = this.#line
      this.dropped++
      return
    }
    this.#line = this.#used
    if (this.#used >= this.#maxBuffered) this.#writeOut()
    else this.#timer ??= this.#options.clock.after(this.#flushIntervalMs, this.#writeOut)
  }

  flush(): Promise<void> {
    this.#writeOut()
    return this.#tail
  }

  /** A new block, to which the line goes along as far as it has come. False: too much waits already, and the line is dropped. */
  #makeRoom(bytes: number): boolean {
    const full = this.#block
    const begun = full.subarray(this.#line, this.#used)
    if (this.#pending + this.#used > this.#maxPending) {
      this.#skipping = true
      return false
    }
    this.#writeOut()
    const needed = begun.length + bytes
    const next =
      needed <= this.#blockBytes ? (this.#spare ?? Buffer.allocUnsafeSlow(this.#blockBytes)) : Buffer.allocUnsafeSlow(needed * 2)
    if (next === this.#spare) this.#spare = undefined
    next.set(begun)
    this.#block = next
    this.#used = begun.length
    this.#line = 0
    return true
  }

  /** The lines that have ended. */
  readonly #writeOut = (): void => {
    this.#timer?.()
    this.#timer = undefined
    if (this.#line === 0) return
    const full = this.#block
    const lines = full.subarray(0, this.#line)
    this.#block = NOTHING
    this.#used = this.#line = 0
    this.#pending += lines.length
    this.#tail = this.#tail
      .then(() => this.#options.write(lines))
      .catch((error: unknown) => this.#options.onError?.(error))
      .then(() => {
        this.#pending -= lines.length
        if (full.length === this.#blockBytes) this.#spare = full
      })
  }
}

const NOTHING = Buffer.alloc(0)
