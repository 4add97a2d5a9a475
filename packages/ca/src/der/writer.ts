/** X.690 DER, as much of it as X.509 needs: each function gives the bytes of one element. */
export type Der = Uint8Array

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Any element: identifier byte, length, contents. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Der {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : length < 0x1_0000
          ? [tag, 0x82, length >> 8, length & 0xff]
          : length < 0x100_0000
            ? [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
            : undefined
  if (header === undefined) throw new RangeError('an element of 16 MiB or more')
  return concat([Uint8Array.from(header), ...parts])
}

export const sequence = (...parts: readonly Der[]): Der => element(0x30, ...parts)
export const set = (...parts: readonly Der[]): Der => element(0x31, ...parts)
export const octetString = (content: Uint8Array): Der => element(0x04, content)
export const enumerated = (value: number): Der => element(0x0a, Uint8Array.of(value))
export const utf8String = (text: string): Der => element(0x0c, new TextEncoder().encode(text))
export const boolean = (value: boolean): Der => element(0x01, Uint8Array.of(value ? 0xff : 0))
/** Context-specific and constructed: `[n] EXPLICIT`, or `[n] IMPLICIT` of something constructed. */
export const context = (n: number, ...parts: readonly Uint8Array[]): Der => element(0xa0 | n, ...parts)
/** Context-specific and primitive: `[n] IMPLICIT` of a text or of bytes. */
export const contextPrimitive = (n: number, content: Uint8Array): Der => element(0x80 | n, content)

/** Whole bytes, or the first `bits` of them when the last is not full. */
export function bitString(content: Uint8Array, unused = 0): Der {
  return element(0x03, Uint8Array.of(unused), content)
}

/** A non-negative INTEGER from its big-endian bytes: shortest form, with a zero in front when the first bit is set. */
export function integer(bytes: Uint8Array): Der {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const short = bytes.subarray(start)
  return ((short[0] ?? 0) & 0x80) !== 0
    ? element(0x02, Uint8Array.of(0), short)
    : element(0x02, short.length === 0 ? Uint8Array.of(0) : short)
}

export function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return element(0x06, Uint8Array.from(bytes))
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after; whole seconds. */
export function time(ms: number): Der {
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '')
  const encoder = new TextEncoder()
  return new Date(ms).getUTCFullYear() < 2050
    ? element(0x17, encoder.encode(digits.slice(2)))
    : element(0x18, encoder.encode(digits))
}
