const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES: Uint8Array = new Uint8Array(128).fill(255)
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i
VALUES['-'.charCodeAt(0)] = 62
VALUES['_'.charCodeAt(0)] = 63

/** Standard alphabet with padding, what canonical proto JSON writes. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const word = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    const left = bytes.length - i
    text += (ALPHABET[word >> 18] as string) + (ALPHABET[(word >> 12) & 63] as string)
    text += (left > 1 ? (ALPHABET[(word >> 6) & 63] as string) : '=') + (left > 2 ? (ALPHABET[word & 63] as string) : '=')
  }
  return text
}

/** Standard or URL-safe, padded or not, as proto JSON allows; undefined when it is neither. */
export function fromBase64(text: string): Uint8Array | undefined {
  let length = text.length
  while (length > 0 && text[length - 1] === '=') length--
  if (text.length - length > 2 || length % 4 === 1) return undefined
  const bytes = new Uint8Array((length * 3) >> 2)
  let word = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? 255
    if (value === 255) return undefined
    word = ((word << 6) | value) & 0xff_ffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (word >> bits) & 0xff
    }
  }
  return bytes
}
