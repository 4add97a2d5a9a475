const SIZE = 624
const SHIFT = 397

/**
 * MT19937 (Matsumoto and Nishimura, 1998), 32 bits a call: one seed gives one sequence, the same as C++'s std::mt19937 gives,
 * which is what choices that must agree with Envoy's are made by.
 */
export function createMersenneTwister(seed: number): () => number {
  const state = new Uint32Array(SIZE)
  state[0] = seed
  for (let i = 1; i < SIZE; i++) {
    const last = state[i - 1]! ^ (state[i - 1]! >>> 30)
    state[i] = Math.imul(1_812_433_253, last) + i
  }
  let at = SIZE
  return () => {
    if (at === SIZE) {
      twist(state)
      at = 0
    }
    let y = state[at++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }
}

function twist(state: Uint32Array): void {
  for (let i = 0; i < SIZE; i++) {
    const y = (state[i]! & 0x80000000) | (state[(i + 1) % SIZE]! & 0x7fffffff)
    state[i] = state[(i + SHIFT) % SIZE]! ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908b0df)
  }
}
