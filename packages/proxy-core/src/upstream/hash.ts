import xxhash from 'xxhash-wasm'

/** xxHash64 of UTF-8 text, as Envoy and gRPC hash for rings and tables; seed 0 by default. */
export type Hash64 = (text: string, seed?: bigint) => bigint

/** Loads the WebAssembly once, at startup. */
export async function createHash64(): Promise<Hash64> {
  const { h64 } = await xxhash()
  return (text, seed = 0n) => h64(text, seed)
}
