/** Bytes that were read and wait for their time. Growing is amortised: one byte at a time costs no more than all at once. */
export class HeldBytes {
  #buffer: Buffer | undefined
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  /** Copies `bytes` to the end. */
  append(bytes: Uint8Array): void {
    const needed = this.#end + bytes.length
    if (this.#buffer === undefined || needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(512, this.length + bytes.length, this.length * 2))
      if (this.#buffer !== undefined) this.#buffer.copy(larger, 0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Everything, which then belongs to the caller. */
  take(): Buffer {
    const bytes = this.#buffer === undefined ? EMPTY : this.#buffer.subarray(this.#start, this.#end)
    this.#buffer = undefined
    this.#start = this.#end = 0
    return bytes
  }

  /** Forgets the first `count` bytes. */
  skip(count: number): void {
    this.#start += count
  }

  /** Everything, to look at until the next `append`. */
  peek(): Buffer {
    return this.#buffer === undefined ? EMPTY : this.#buffer.subarray(this.#start, this.#end)
  }
}

const EMPTY = Buffer.alloc(0)

/** The same memory with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
