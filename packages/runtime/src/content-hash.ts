// MurmurHash3_x86_128 (Austin Appleby, public domain), because 32-bit multiplications are all that plain JavaScript does fast.
const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

const encoder = new TextEncoder()

/**
 * 128 bits of what `content` says, as 32 hex digits: the same on every machine and in every process, so that it can name a version.
 * A string hashes as its UTF-8 bytes. Not cryptographic: who may choose the content can make two that collide.
 */
export function contentHash(content: Uint8Array | string): string {
  const bytes = typeof content === 'string' ? encoder.encode(content) : content
  mixBody(bytes)
  mixTail(bytes)
  return finish(bytes.length)
}

// Hashing never runs inside hashing: what it works on is made once.
const state = /*#__PURE__*/ new Uint32Array(4)
const words = /*#__PURE__*/ new Int32Array(4)

function mixBody(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length & ~15
  let h1 = 0
  let h2 = 0
  let h3 = 0
  let h4 = 0
  for (let at = 0; at < end; at += 16) {
    h1 ^= scramble(view.getInt32(at, true), C1, 15, C2)
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= scramble(view.getInt32(at + 4, true), C2, 16, C3)
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= scramble(view.getInt32(at + 8, true), C3, 17, C4)
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= scramble(view.getInt32(at + 12, true), C4, 18, C1)
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  state[0] = h1
  state[1] = h2
  state[2] = h3
  state[3] = h4
}

function mixTail(bytes: Uint8Array): void {
  words.fill(0)
  const start = bytes.length & ~15
  for (let at = start; at < bytes.length; at++) words[(at - start) >> 2]! |= bytes[at]! << (((at - start) & 3) * 8)
  state[0]! ^= scramble(words[0]!, C1, 15, C2)
  state[1]! ^= scramble(words[1]!, C2, 16, C3)
  state[2]! ^= scramble(words[2]!, C3, 17, C4)
  state[3]! ^= scramble(words[3]!, C4, 18, C1)
}

function finish(length: number): string {
  for (let i = 0; i < 4; i++) state[i]! ^= length
  spread()
  for (let i = 0; i < 4; i++) state[i] = avalanche(state[i]!)
  spread()
  return hex(state[0]!) + hex(state[1]!) + hex(state[2]!) + hex(state[3]!)
}

function spread(): void {
  state[0]! += state[1]! + state[2]! + state[3]!
  for (let i = 1; i < 4; i++) state[i]! += state[0]!
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second)
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function avalanche(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

// Of each byte its two digits.
const DIGITS: readonly string[] = /*#__PURE__*/ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(word: number): string {
  return DIGITS[word >>> 24]! + DIGITS[(word >>> 16) & 255]! + DIGITS[(word >>> 8) & 255]! + DIGITS[word & 255]!
}
