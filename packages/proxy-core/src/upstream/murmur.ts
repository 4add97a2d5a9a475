const MASK = (1n << 64n) - 1n
const MUL = 0xc6a4a7935bd1e995n
/** What libstdc++'s std::hash starts with; Envoy's MURMUR_HASH_2 rings do too. */
const SEED = 0xc70f6907n

const shiftMix = (value: bigint): bigint => value ^ (value >> 47n)

/** MurmurHash2, 64 bits, of UTF-8 text: hash_function MURMUR_HASH_2 of ring hash clusters. */
export function murmurHash2(text: string): bigint {
  const bytes = new TextEncoder().encode(text)
  const whole = bytes.length - (bytes.length % 8)
  let hash = SEED ^ ((BigInt(bytes.length) * MUL) & MASK)
  for (let at = 0; at < whole; at += 8) {
    const data = (shiftMix((load(bytes, at, 8) * MUL) & MASK) * MUL) & MASK
    hash = ((hash ^ data) * MUL) & MASK
  }
  if (whole < bytes.length) hash = ((hash ^ load(bytes, whole, bytes.length - whole)) * MUL) & MASK
  return shiftMix((shiftMix(hash) * MUL) & MASK)
}

function load(bytes: Uint8Array, at: number, count: number): bigint {
  let value = 0n
  for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!)
  return value
}
