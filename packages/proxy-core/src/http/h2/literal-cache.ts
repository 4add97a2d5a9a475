import { type HeaderField, headerField } from './header-field.js'
import { huffmanDecode } from './huffman.js'

const SLOTS = 1024
/** Longer ones are tokens and the like: those of one peer are nobody else's. */
export const LONGEST_SHARED = 64
/** How long it takes to read these must not tell whether somebody else has said them. */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie'])

interface Known {
  readonly name: string
  readonly octets: Uint8Array
  readonly huffman: boolean
  readonly field: HeaderField
}

/**
 * Field lines that come as literals again and again, because their senders do not index: what was decoded and checked once is found
 * by its octets. It keeps what it has seen twice.
 */
export class LiteralCache {
  readonly #known: (Known | undefined)[] = new Array(SLOTS).fill(undefined)
  /** Of what was seen once. */
  readonly #hashes = new Int32Array(SLOTS)

  /** Undefined: the octets cannot be decoded. */
  field(name: string, block: Buffer, start: number, end: number, huffman: boolean): HeaderField | undefined {
    const length = end - start
    if (length > LONGEST_SHARED) return decoded(name, block, start, end, huffman)
    let hash = length
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + block[i]!) | 0
    const at = (hash ^ (hash >>> 12)) & (SLOTS - 1)
    const known = this.#known[at]
    if (known !== undefined && known.huffman === huffman && known.name === name && isAt(block, start, length, known.octets))
      return known.field
    const field = decoded(name, block, start, end, huffman)
    if (field === undefined || this.#hashes[at] !== hash || SECRET.has(name)) this.#hashes[at] = hash
    else this.#known[at] = { name, octets: copyOf(block, start, end), huffman, field }
    return field
  }
}

const MOST_TOKENS = 4

/** The same for long values of one connection: a token that comes with each request is decoded once. */
export class TokenCache {
  readonly #known: Known[] = []
  #next = 0
  /** Of the last one that was not known. */
  #length = 0
  #end = 0

  field(name: string, block: Buffer, start: number, end: number, huffman: boolean): HeaderField | undefined {
    for (const known of this.#known) {
      if (known.octets.length !== end - start || known.name !== name || known.huffman !== huffman) continue
      if (block.compare(known.octets, 0, known.octets.length, start, end) === 0) return known.field
    }
    const field = decoded(name, block, start, end, huffman)
    // The end of a token is its signature.
    const ending = block.readInt32LE(end - 6)
    if (this.#length !== end - start || this.#end !== ending || field === undefined) {
      this.#length = end - start
      this.#end = ending
      return field
    }
    this.#known[this.#next++ % MOST_TOKENS] = { name, octets: copyOf(block, start, end), huffman, field }
    return field
  }
}

function copyOf(block: Buffer, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(block, start, end)
}

function isAt(block: Buffer, start: number, length: number, octets: Uint8Array): boolean {
  if (octets.length !== length) return false
  for (let i = 0; i < length; i++) if (block[start + i] !== octets[i]) return false
  return true
}

function decoded(name: string, block: Buffer, start: number, end: number, huffman: boolean): HeaderField | undefined {
  const value = huffman ? huffmanDecode(block, start, end) : block.toString('latin1', start, end)
  return value === undefined ? undefined : headerField(name, value)
}
