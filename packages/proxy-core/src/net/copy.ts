import type { BufferChooser, Connection, ConnectionHandler } from './connection.js'
import { giveBuffer, LARGE_BYTES, takeBuffer } from './large-buffers.js'

const STAGING_BYTES = 64 * 1024
/** A connection that reads less at once does with the buffer that all share. */
const WORTH_A_BUFFER = LARGE_BYTES / 2

// What one side read into a shared buffer goes to the other by one copy: the next read writes over it.
let staging = Buffer.allocUnsafeSlow(STAGING_BYTES)

export interface Copying {
  /** Bytes from the first connection to the second, and back. */
  readonly forth: number
  readonly back: number
}

/** What one side says before anything else, and the other side is not to hear. */
export interface Preface {
  /** What of `bytes` comes behind it, in their memory or in memory of its own; undefined: it is not over. Not called again once it is. */
  take(bytes: Uint8Array): Uint8Array | undefined
  /** What was taken of one that never came to its end: it was none. */
  rest(): Uint8Array
}

/** Of each side what it says first. */
export interface Prefaces {
  readonly first?: Preface | undefined
  readonly second?: Preface | undefined
}

/**
 * Joins two connections until both have ended: bytes, half-closes and resets of each reach the other, and a slow reader slows
 * its writer. `over` is called once, when both are closed: with the error that ended them, and the side that it came from.
 */
export function joinConnections(
  first: Connection,
  second: Connection,
  over: (error?: Error, from?: Connection) => void,
  prefaces: Prefaces = NONE,
): Copying {
  return new Joint(first, second, over, prefaces)
}

const NONE: Prefaces = {}

class Joint implements Copying {
  readonly #forth: Way
  readonly #back: Way
  readonly #over: (error?: Error, from?: Connection) => void
  #open = 2
  #reason: Error | undefined
  #culprit: Connection | undefined

  constructor(first: Connection, second: Connection, over: (error?: Error, from?: Connection) => void, prefaces: Prefaces) {
    this.#over = over
    this.#forth = new Way(first, second, this, prefaces.first)
    this.#back = new Way(second, first, this, prefaces.second)
    first.handle(this.#forth)
    second.handle(this.#back)
    first.resume()
    second.resume()
  }

  get forth(): number {
    return this.#forth.bytes
  }

  get back(): number {
    return this.#back.bytes
  }

  closed(from: Connection, error?: Error): void {
    if (this.#reason === undefined && error !== undefined) {
      this.#reason = error
      this.#culprit = from
    }
    if (--this.#open === 0) this.#over(this.#reason, this.#culprit)
  }
}

/** From one side to the other. While much comes at once it is read into a buffer of the way's own and written from there. */
class Way implements ConnectionHandler, BufferChooser {
  bytes = 0
  readonly #from: Connection
  readonly #to: Connection
  readonly #joint: Joint
  #own: Buffer | undefined
  #preface: Preface | undefined

  constructor(from: Connection, to: Connection, joint: Joint, preface: Preface | undefined) {
    this.#from = from
    this.#to = to
    this.#joint = joint
    this.#preface = preface
    from.readInto?.(this)
  }

  chooseBuffer(): Uint8Array | undefined {
    return this.#own
  }

  onData(bytes: Uint8Array, lasting?: boolean): void {
    if (this.#preface !== undefined) {
      this.#onPreface(this.#preface, bytes, lasting)
      return
    }
    const { length } = bytes
    this.bytes += length
    const own = this.#own
    let more: boolean
    if (own !== undefined && bytes.buffer === own.buffer) {
      more = this.#to.write(bytes)
      this.#written(own, length, more)
    } else {
      more = lasting === true ? this.#to.write(bytes) : copied(this.#to, bytes)
      // It filled the shared buffer: there is more.
      if (length === STAGING_BYTES && this.#from.readInto !== undefined) this.#own ??= takeBuffer()
    }
    if (!more) this.#from.pause()
  }

  #onPreface(preface: Preface, bytes: Uint8Array, lasting: boolean | undefined): void {
    const behind = preface.take(bytes)
    if (behind === undefined) return
    this.#preface = undefined
    if (behind.length > 0) this.onData(behind, lasting === true || behind.buffer !== bytes.buffer)
  }

  #written(own: Buffer, length: number, more: boolean): void {
    const free = this.#to.buffered === 0
    // While the system holds it nothing is read: the buffer is free again when reading goes on.
    if (!more && length >= WORTH_A_BUFFER) return
    if (length >= WORTH_A_BUFFER && free) return
    this.#own = length >= WORTH_A_BUFFER ? takeBuffer() : undefined
    if (free) giveBuffer(own)
  }

  onEnd(): void {
    const rest = this.#preface?.rest()
    this.#preface = undefined
    if (rest !== undefined && rest.length > 0) this.onData(rest, true)
    this.#to.end()
  }

  onDrain(): void {
    this.#to.resume()
  }

  onClose(error?: Error): void {
    // Without a reset the other side has got its half-close, and may still have something to say.
    if (error !== undefined || this.#from.buffered > 0) this.#to.destroy(error)
    else this.#to.end()
    this.#to.resume()
    if (this.#own !== undefined && this.#to.buffered === 0) giveBuffer(this.#own)
    this.#own = undefined
    this.#joint.closed(this.#from, error)
  }
}

function copied(to: Connection, bytes: Uint8Array): boolean {
  if (bytes.length > STAGING_BYTES) return to.write(Buffer.from(bytes))
  staging.set(bytes)
  const more = to.write(staging.subarray(0, bytes.length))
  if (to.buffered > 0) staging = Buffer.allocUnsafeSlow(STAGING_BYTES)
  return more
}
