import { copyTogether } from './slab.js'

const TEXT = new TextEncoder()
/** Up to this many characters a loop beats TextEncoder, and their length takes one byte. */
const SHORT = 127

/**
 * Writes protobuf backwards, from the end of a growing buffer to its start: when the tag of a nested message is written,
 * its length is already known, so nothing is measured twice or moved. Callers write fields in descending order, and value before tag.
 */
export interface Writer {
  /** Bytes written so far: note it before a nested value, give it to {@link Writer.close} after. */
  size(): number
  /** The length of all written since `size` was `from`. */
  close(from: number): void
  tag(number: number, wireType: number): void
  varint32(value: number): void
  /** A signed 32-bit value as proto wants int32 and enum: negatives take ten bytes. */
  int32(value: number): void
  varint64(value: bigint): void
  fixed32(value: number): void
  fixed64(value: bigint): void
  float(value: number): void
  double(value: number): void
  /** UTF-8, length in front. */
  string(value: string): void
  /** Length in front. */
  bytes(value: Uint8Array): void
  /** As they are. */
  raw(value: Uint8Array): void
  /** A copy of what was written since `size` was `from`, to be kept: see {@link copyTogether}. */
  since(from: number): Uint8Array
  /** A copy of what was written; the writer is empty afterwards. `kept`: as of `since`. */
  finish(kept?: boolean): Uint8Array
}

export function createWriter(): Writer {
  return new BackwardWriter()
}

class BackwardWriter implements Writer {
  #buffer = new Uint8Array(2048)
  #view = new DataView(this.#buffer.buffer)
  #at = 2048

  size(): number {
    return this.#buffer.length - this.#at
  }

  close(from: number): void {
    this.varint32(this.size() - from)
  }

  tag(number: number, wireType: number): void {
    this.varint32(((number << 3) | wireType) >>> 0)
  }

  varint32(value: number): void {
    if (this.#at < 5) this.#grow(5)
    if (value < 0x80) {
      this.#buffer[--this.#at] = value
      return
    }
    if (value < 0x4000) {
      this.#at -= 2
      this.#buffer[this.#at] = (value & 0x7f) | 0x80
      this.#buffer[this.#at + 1] = value >>> 7
    } else this.#longVarint(value)
  }

  /** Of three bytes or more. */
  #longVarint(value: number): void {
    const length = value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
    this.#at -= length
    let rest = value
    for (let i = 0; i < length - 1; i++) {
      this.#buffer[this.#at + i] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[this.#at + length - 1] = rest
  }

  int32(value: number): void {
    if (value >= 0) this.varint32(value)
    else this.varint64(BigInt(value))
  }

  varint64(value: bigint): void {
    const bits: number[] = []
    let rest = BigInt.asUintN(64, value)
    while (rest > 0x7fn) {
      bits.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    bits.push(Number(rest))
    this.#reserve(bits.length)
    this.#buffer.set(bits, this.#at)
  }

  fixed32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#at, value >>> 0, true)
  }

  fixed64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigUint64(this.#at, BigInt.asUintN(64, value), true)
  }

  float(value: number): void {
    this.#reserve(4)
    this.#view.setFloat32(this.#at, value, true)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#at, value, true)
  }

  string(value: string): void {
    if (value.length <= SHORT && this.#shortAscii(value)) return
    const from = this.size()
    this.#utf8(value)
    this.close(from)
  }

  bytes(value: Uint8Array): void {
    this.raw(value)
    this.varint32(value.length)
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#at)
  }

  since(from: number): Uint8Array {
    return copyTogether(this.#buffer.subarray(this.#at, this.#buffer.length - from))
  }

  finish(kept = false): Uint8Array {
    const written = this.#buffer.subarray(this.#at)
    const out = kept ? copyTogether(written) : written.slice()
    this.#at = this.#buffer.length
    return out
  }

  /** With its length; false, and nothing written, where it is no ASCII. */
  #shortAscii(value: string): boolean {
    const length = value.length
    if (this.#at <= length) this.#grow(length + 1)
    const buffer = this.#buffer
    const at = this.#at - length
    let all = 0
    let i = 0
    for (; i + 3 < length; i += 4) {
      const a = value.charCodeAt(i)
      const b = value.charCodeAt(i + 1)
      const c = value.charCodeAt(i + 2)
      const d = value.charCodeAt(i + 3)
      all |= a | b | c | d
      buffer[at + i] = a
      buffer[at + i + 1] = b
      buffer[at + i + 2] = c
      buffer[at + i + 3] = d
    }
    for (; i < length; i++) {
      const code = value.charCodeAt(i)
      all |= code
      buffer[at + i] = code
    }
    if (all > 0x7f) return false
    buffer[at - 1] = length
    this.#at = at - 1
    return true
  }

  #utf8(value: string): void {
    const most = value.length * 3
    if (this.#at < most) this.#grow(most)
    const start = this.#at - most
    const { written } = TEXT.encodeInto(value, this.#buffer.subarray(start, this.#at))
    this.#at -= written
    this.#buffer.copyWithin(this.#at, start, start + written)
  }

  #reserve(length: number): void {
    if (this.#at < length) this.#grow(length)
    this.#at -= length
  }

  #grow(more: number): void {
    const used = this.size()
    const next = new Uint8Array(Math.max(this.#buffer.length * 2, used + more + 1024))
    next.set(this.#buffer.subarray(this.#at), next.length - used)
    this.#buffer = next
    this.#view = new DataView(next.buffer)
    this.#at = next.length - used
  }
}
