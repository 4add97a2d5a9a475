import { misfit } from '../misfit.js'

const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const SHORT = 48

/** Reads protobuf from a slice of bytes, strictly: no read goes past {@link Reader.end}. @throws Misfit */
export interface Reader {
  readonly bytes: Uint8Array
  at: number
  /** Where the message being read ends; a nested one narrows it and restores it. */
  end: number
  varint32(): number
  varint64(): bigint
  fixed32(): number
  fixed64(): bigint
  float(): number
  double(): number
  /** @throws Misfit when it is not UTF-8. */
  string(): string
  /** A view, not a copy. */
  slice(): Uint8Array
  /** A length that fits in what is left. */
  length(): number
  /** Passes over a value of the wire type; groups too, to a depth of 100. */
  skip(wireType: number, number: number): void
}

export function createReader(bytes: Uint8Array): Reader {
  return new SliceReader(bytes)
}

class SliceReader implements Reader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  at = 0
  end: number

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
  }

  varint32(): number {
    const first = this.at < this.end ? (this.bytes[this.at] as number) : this.#short()
    if (first < 0x80) {
      this.at++
      return first
    }
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) this.#short()
      const byte = this.bytes[this.at++] as number
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    misfit('a varint is longer than ten bytes')
  }

  varint64(): bigint {
    let low = 0
    let value = 0n
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) this.#short()
      const byte = this.bytes[this.at++] as number
      if (shift < 28) low |= (byte & 0x7f) << shift
      else value |= BigInt(byte & 0x7f) << BigInt(shift)
      if (byte < 0x80) return BigInt.asUintN(64, value | BigInt(low))
    }
    misfit('a varint is longer than ten bytes')
  }

  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), true)
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  string(): string {
    const length = this.length()
    const start = this.#take(length)
    if (length > SHORT) return utf8(this.bytes.subarray(start, start + length))
    const slice = this.bytes.subarray(start, start + length)
    for (let i = 0; i < length; i++) if ((slice[i] as number) > 0x7f) return utf8(slice)
    // At once: text that grows by a character at a time is kept as a chain of all its beginnings.
    return String.fromCharCode.apply(null, slice as unknown as number[])
  }

  slice(): Uint8Array {
    const length = this.length()
    const start = this.#take(length)
    return this.bytes.subarray(start, start + length)
  }

  length(): number {
    const length = this.varint32()
    if (length > this.end - this.at) misfit(`a length of ${length} goes past the end`)
    return length
  }

  skip(wireType: number, number: number, depth = 0): void {
    if (wireType === 0) this.varint64()
    else if (wireType === 1) this.#take(8)
    else if (wireType === 2) this.#take(this.length())
    else if (wireType === 5) this.#take(4)
    else if (wireType === 3) this.#skipGroup(number, depth)
    else misfit(`wire type ${wireType} does not exist here`)
  }

  #skipGroup(number: number, depth: number): void {
    if (depth >= 100) misfit('groups are nested deeper than 100')
    for (;;) {
      const tag = this.varint32()
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== number) misfit('a group ends that was not begun')
        return
      }
      if (tag >>> 3 === 0) misfit('field number 0')
      this.skip(tag & 7, tag >>> 3, depth + 1)
    }
  }

  #take(length: number): number {
    const start = this.at
    if (length > this.end - start) this.#short()
    this.at = start + length
    return start
  }

  #short(): never {
    misfit('the bytes end in the middle of a value')
  }
}

function utf8(bytes: Uint8Array): string {
  try {
    return TEXT.decode(bytes)
  } catch {
    misfit('a string is not UTF-8')
  }
}
