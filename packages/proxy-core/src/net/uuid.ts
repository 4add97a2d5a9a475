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

const BATCH = 32
const UUID_LENGTH = 36
const text = Buffer.alloc(BATCH * UUID_LENGTH)
let batch = ''
let next = BATCH

/** A random UUID (RFC 9562 version 4), as request ids are. */
export function createUuid(): string {
  // One string for several: strings are made dear, parts of them are cheap. A part holds on to the whole, so it is no large one.
  if (next === BATCH) {
    for (let i = 0; i < BATCH; i++) writeUuid(i * UUID_LENGTH, take(16))
    batch = text.toString('latin1')
    next = 0
  }
  const at = next++ * UUID_LENGTH
  return batch.slice(at, at + UUID_LENGTH)
}

function writeUuid(start: number, from: number): void {
  let at = start
  for (let i = 0; i < 16; i++) {
    let byte = pool[from + i]!
    if (i === 6) byte = (byte & 0x0f) | 0x40
    else if (i === 8) byte = (byte & 0x3f) | 0x80
    if (i === 4 || i === 6 || i === 8 || i === 10) text[at++] = DASH
    text[at++] = HEX_DIGITS[byte >> 4]!
    text[at++] = HEX_DIGITS[byte & 15]!
  }
}

const DASH = 45
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1')
