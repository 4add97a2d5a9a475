import { type HeaderField, headerField } from './header-field.js'
import { LiteralCache, LONGEST_SHARED, TokenCache } from './literal-cache.js'
import { STATIC_TABLE } from './static-table.js'

const STATIC_FIELDS: readonly HeaderField[] = STATIC_TABLE.map(([name, value]) => headerField(name, value))
const STATIC_COUNT = 61
/** More than any index or length can be: five octets of continuation are the most that are read. */
const TOO_LONG = -1
const MAX_INTEGER_SHIFT = 28

/** The reading side of HPACK (RFC 7541). One block is decoded at once. */
export interface HpackDecoder {
  /** Gives each field of the block to `take`. False: the block cannot be decoded, and no later one can. */
  decode(block: Buffer, start: number, end: number, take: (field: HeaderField) => void): boolean
}

/** `maxTableSize`: our SETTINGS_HEADER_TABLE_SIZE. */
export function createHpackDecoder(maxTableSize: number): HpackDecoder {
  return new Decoder(maxTableSize)
}

class Decoder implements HpackDecoder {
  readonly #limit: number
  /** A ring, the newest at `#newest`. */
  #ring: (HeaderField | undefined)[] = new Array(64).fill(undefined)
  #newest = 0
  #count = 0
  #size = 0
  #maxSize: number
  #block: Buffer = EMPTY
  #tokens: TokenCache | undefined
  #at = 0
  #end = 0

  constructor(maxTableSize: number) {
    this.#limit = maxTableSize
    this.#maxSize = maxTableSize
  }

  decode(block: Buffer, start: number, end: number, take: (field: HeaderField) => void): boolean {
    this.#block = block
    this.#at = start
    this.#end = end
    let first = true
    while (this.#at < end) {
      const octet = block[this.#at]!
      if (octet >= 0x80) {
        const field = this.#lookUp(this.#integer(7))
        if (field === undefined) return false
        take(field)
      } else if (octet >= 0x40 || octet < 0x20) {
        const field = this.#literal(octet >= 0x40 ? 6 : 4)
        if (field === undefined) return false
        if (octet >= 0x40) this.#insert(field)
        take(field)
      } else {
        // §4.2: a change of the table's size stands at the beginning of a block.
        const size = this.#integer(5)
        if (!first || size === TOO_LONG || size > this.#limit) return false
        this.#maxSize = size
        this.#evict(0)
        continue
      }
      first = false
    }
    this.#block = EMPTY
    return this.#at === end
  }

  #lookUp(index: number): HeaderField | undefined {
    if (index <= 0) return undefined
    if (index <= STATIC_COUNT) return STATIC_FIELDS[index - 1]
    const age = index - STATIC_COUNT - 1
    if (age >= this.#count) return undefined
    return this.#ring[(this.#newest - age) & (this.#ring.length - 1)]
  }

  #literal(prefix: 4 | 6): HeaderField | undefined {
    const index = this.#integer(prefix)
    if (index === TOO_LONG) return undefined
    // A name is cached as the value of a field without one.
    const name = index === 0 ? this.#string('')?.value : this.#lookUp(index)?.name
    return name === undefined ? undefined : this.#string(name)
  }

  #insert(field: HeaderField): void {
    this.#evict(field.size)
    // §4.4: what is larger than the table empties it.
    if (field.size > this.#maxSize) return
    if (this.#count === this.#ring.length) this.#grow()
    this.#newest = (this.#newest + 1) & (this.#ring.length - 1)
    this.#ring[this.#newest] = field
    this.#count++
    this.#size += field.size
  }

  #evict(room: number): void {
    while (this.#count > 0 && this.#size + room > this.#maxSize) {
      const oldest = (this.#newest - this.#count + 1) & (this.#ring.length - 1)
      this.#size -= this.#ring[oldest]!.size
      this.#ring[oldest] = undefined
      this.#count--
    }
  }

  #grow(): void {
    const larger: (HeaderField | undefined)[] = new Array(this.#ring.length * 2).fill(undefined)
    for (let age = 0; age < this.#count; age++)
      larger[this.#count - 1 - age] = this.#ring[(this.#newest - age) & (this.#ring.length - 1)]
    this.#newest = this.#count - 1
    this.#ring = larger
  }

  /** §5.1. */
  #integer(prefix: number): number {
    const mask = (1 << prefix) - 1
    let value = this.#block[this.#at++]! & mask
    if (value < mask) return value
    for (let shift = 0; shift <= MAX_INTEGER_SHIFT; shift += 7) {
      if (this.#at >= this.#end) return TOO_LONG
      const octet = this.#block[this.#at++]!
      value += (octet & 127) * 2 ** shift
      if (octet < 128) return value
    }
    return TOO_LONG
  }

  /** §5.2: the value of a field with this name. */
  #string(name: string): HeaderField | undefined {
    if (this.#at >= this.#end) return undefined
    const huffman = this.#block[this.#at]! >= 0x80
    const length = this.#integer(7)
    const start = this.#at
    if (length === TOO_LONG || length > this.#end - start) return undefined
    this.#at = start + length
    if (length <= LONGEST_SHARED) return literals.field(name, this.#block, start, this.#at, huffman)
    return (this.#tokens ??= new TokenCache()).field(name, this.#block, start, this.#at, huffman)
  }
}

// What one peer sends, others do.
const literals = new LiteralCache()
const EMPTY = Buffer.alloc(0)
