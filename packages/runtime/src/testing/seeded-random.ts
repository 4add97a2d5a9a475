import type { Random } from '../random.js'

/** The same numbers for the same seed (mulberry32): good enough to spread load in a test, nothing else. */
export function createSeededRandom(seed: number): Random {
  let state = seed | 0
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
