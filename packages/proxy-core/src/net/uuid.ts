import { randomFillSync } from 'node:crypto'

// One call to the system's generator serves a thousand ids.
const POOL_BYTES = 16 * 1024
const pool = new Uint8Array(POOL_BYTES)
let used = POOL_BYTES

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Where so many random bytes are in the pool; nobody else gets them. */
function take(bytes: number): number {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return used - bytes
}

/** So many random bytes in lower-case hex, as ids of traces (16) and spans (8) are. */
export function createHexId(bytes: number): string {
  const at = take(bytes)
  let id = ''
  for (let i = 0; i < bytes; i++) id += HEX[pool[at + i]!]!
  return id
}

/** A random UUID (RFC 9562 version 4), as request ids are. */
export function createUuid(): string {
  const at = take(16)
  const hex = (i: number): string => HEX[pool[at + i]!]!
  const version = HEX[(pool[at + 6]! & 0x0f) | 0x40]!
  const variant = HEX[(pool[at + 8]! & 0x3f) | 0x80]!
  return `${hex(0)}${hex(1)}${hex(2)}${hex(3)}-${hex(4)}${hex(5)}-${version}${hex(7)}-${variant}${hex(9)}-${hex(10)}${hex(11)}${hex(12)}${hex(13)}${hex(14)}${hex(15)}`
}
