import type { DeltaRequest } from './protocol/stream-protocol.js'

// Fields of DeltaDiscoveryRequest, with the wire type of a string.
const TYPE_URL = (2 << 3) | 2
const RESPONSE_NONCE = (6 << 3) | 2

const NO_NAMES: readonly string[] = []
const NO_VERSIONS: ReadonlyMap<string, string> = new Map()

/** A request that says nothing but which response was accepted, as most do. Undefined: it says something else, or it is no request; see DELTA_CODEC. */
export function readDeltaAck(bytes: Uint8Array): DeltaRequest | undefined {
  let typeUrl = ''
  let responseNonce = ''
  let at = 0
  while (at < bytes.length) {
    const tag = bytes[at]
    const length = bytes[at + 1] ?? LONGEST
    const begin = at + 2
    at = begin + length
    if (length >= LONGEST || at > bytes.length) return undefined
    const text = tag === TYPE_URL || tag === RESPONSE_NONCE ? asciiOf(bytes, begin, length) : undefined
    if (text === undefined) return undefined
    if (tag === TYPE_URL) typeUrl = text
    else responseNonce = text
  }
  if (responseNonce === '') return undefined
  return { typeUrl, responseNonce, subscribe: NO_NAMES, unsubscribe: NO_NAMES, initialResourceVersions: NO_VERSIONS }
}

// Lengths from here on take two bytes.
const LONGEST = 128

/** The strings that were read last, by length: all clients say the same few type URLs, and one string serves them all. */
const known: string[] = Array.from({ length: LONGEST }, () => '')

function asciiOf(bytes: Uint8Array, begin: number, length: number): string | undefined {
  const last = known[length] ?? ''
  if (last.length === length && isAt(bytes, begin, last)) return last
  for (let i = begin; i < begin + length; i++) if ((bytes[i] ?? LONGEST) >= LONGEST) return undefined
  // At once: text that grows by a character at a time is kept as a chain of all its beginnings.
  const text = String.fromCharCode.apply(null, bytes.subarray(begin, begin + length) as unknown as number[])
  if (length > SHORT) known[length] = text
  return text
}

// Nonces are shorter, and no two are the same.
const SHORT = 40

function isAt(bytes: Uint8Array, begin: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[begin + i] !== text.charCodeAt(i)) return false
  return true
}
