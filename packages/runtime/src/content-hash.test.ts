import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentHash } from './content-hash.js'

test.each([
  ['', '00000000000000000000000000000000'],
  ['The quick brown fox jumps over the lazy dog', '2f1583c3ecee2c675d7bf66ce5e91d2c'],
])('%j has the published hash of MurmurHash3_x86_128', (text, hash) => {
  expect(contentHash(text)).toBe(hash)
})

test('every bit of every length counts', () => {
  const seen = new Set<string>()
  for (let length = 1; length <= 40; length++) {
    const bytes = new Uint8Array(length)
    seen.add(contentHash(bytes))
    for (let bit = 0; bit < length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      seen.add(contentHash(bytes))
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
  }
  expect(seen.size).toBe(40 + (8 * 40 * 41) / 2)
})

test('a string hashes as its UTF-8 bytes, wherever they lie in memory', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.nat(7), (text, offset) => {
      const bytes = new TextEncoder().encode(text)
      const shifted = new Uint8Array(bytes.length + offset + 3)
      shifted.set(bytes, offset)
      expect(contentHash(shifted.subarray(offset, offset + bytes.length))).toBe(contentHash(text))
    }),
    { seed: 1 },
  )
})
