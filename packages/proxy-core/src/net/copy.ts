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

/**
 * Joins two connections until both have ended: bytes, half-closes and resets of each reach the other, and a slow reader slows
 * its writer. `over` is called once, when both are closed: with the error that ended them, and the side that it came from.
 */
export function joinConnections(
  first: Connection,
  second: Connection,
  over: (error?: Error, from?: Connection) => void,
): Copying {
  return new Joint(first, second, over)
}

class Joint implements Copying {
  readonly #forth: Way
  readonly #back: Way
  readonly #over: (error?: Error, from?: Connection) => void
  #open = 2
  #reason: Error | undefined
  #culprit: Connection | undefined

  constructor(first: Connection, second: Connection, over: (error?: Error, from?: Connection) => void) {
    this.#over = over
    this.#forth = new Way(first, second, this)
    this.#back = new Way(second, first, this)
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

  constructor(from: Connection, to: Connection, joint: Joint) {
    this.#from = from
    this.#to = to
    this.#joint = joint
    from.readInto?.(this)
  }

  chooseBuffer(): Uint8Array | undefined {
    return this.#own
  }

  onData(bytes: Uint8Array, lasting?: boolean): void {
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

  #written(own: Buffer, length: number, more: boolean): void {
    const free = this.#to.buffered === 0
    // While the system holds it nothing is read: the buffer is free again when reading goes on.
    if (!more && length >= WORTH_A_BUFFER) return
    if (length >= WORTH_A_BUFFER && free) return
    this.#own = length >= WORTH_A_BUFFER ? takeBuffer() : undefined
    if (free) giveBuffer(own)
  }

  onEnd(): void {
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
