const BYTES = 128 * 1024
/** So many parts leave at once at most: the first of them must not wait for all that a turn of the loop brings. */
const MOST_PARTS = 32

/** Whose bytes wait here. */
export interface StagingOwner {
  /** Runs what sends them, when everything that came in this turn of the loop has been heard. */
  readonly defer: (run: () => void) => void
  /** True when the bytes are free again at once; else they belong to the connection from now on. */
  send(part: Uint8Array): boolean
}

const settled = Promise.resolve()

/** The end of the task, where nobody knows of turns. */
export const endOfTask = (run: () => void): void => void settled.then(run)

/**
 * One buffer for all connections: head and body of a message gather in it and leave in one write, and the writes of one turn of
 * the loop follow one another: peers that are woken by the first find the others there, which halves what waking them costs.
 * A write that the kernel did not take at once keeps the buffer, and a new one takes its place.
 */
class Staging {
  bytes: Buffer = Buffer.allocUnsafeSlow(BYTES)
  #memory: ArrayBufferLike = this.bytes.buffer
  /** Where the next byte goes. */
  used = 0
  #owner: StagingOwner | undefined
  #start = 0
  #owners: StagingOwner[] = []
  #parts: Uint8Array[] = []
  #sending = false
  #scheduledBy: StagingOwner['defer'] | undefined

  /** Makes room for so many bytes of one owner. */
  own(owner: StagingOwner, space: number): void {
    if (owner !== this.#owner) {
      this.#close()
      if (this.#parts.length >= MOST_PARTS && !this.#sending) this.flush()
      this.#owner = owner
      if (this.#scheduledBy !== owner.defer) {
        this.#scheduledBy = owner.defer
        owner.defer(this.#run)
      }
    }
    if (this.used + space <= this.bytes.length) return
    this.#close()
    if (!this.#sending) this.flush()
    this.#owner = owner
    if (this.#sending || space > this.bytes.length) this.#replace(Math.max(BYTES, space))
  }

  /** What is written now waits behind what is being sent. */
  get sending(): boolean {
    return this.#sending
  }

  /** Of the part that is being written. */
  get partLength(): number {
    return this.used - this.#start
  }

  /** Sends everything now. */
  flush(): void {
    if (this.#sending) return
    this.#sending = true
    let held = false
    // Whoever hears of a write may write.
    for (let i = 0; ; i++) {
      if (i === this.#parts.length) this.#close()
      if (i === this.#parts.length) break
      if (!this.#owners[i]!.send(this.#parts[i]!)) held = true
    }
    this.#sending = false
    this.#parts.length = this.#owners.length = 0
    this.used = this.#start = 0
    if (held) this.#replace(BYTES)
  }

  readonly #run = (): void => {
    this.#scheduledBy = undefined
    this.flush()
  }

  #close(): void {
    if (this.#owner !== undefined && this.used > this.#start) {
      this.#owners.push(this.#owner)
      // Not by Buffer.subarray, which asks the engine for the memory anew and takes three times as long.
      this.#parts.push(new Uint8Array(this.#memory, this.#start, this.used - this.#start))
    }
    this.#owner = undefined
    this.#start = this.used
  }

  #replace(bytes: number): void {
    this.bytes = Buffer.allocUnsafeSlow(bytes)
    this.#memory = this.bytes.buffer
    this.used = this.#start = 0
  }
}

export const staging: Staging = new Staging()
