/** DER as certificates use it (X.690 §10): definite lengths of the shortest form, tags of one byte. */

export interface DerElement {
  readonly tag: number
  /** Of the content. */
  readonly start: number
  readonly end: number
  /** Of the whole element. */
  readonly at: number
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** What is no DER, or no certificate. */
export class DerError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DerError'
  }
}

/** Reads one element, which must end by `end`. */
export function readDer(der: Uint8Array, at: number, end: number = der.length): DerElement {
  if (at + 2 > end) throw new DerError('an element is cut short')
  const tag = der[at]!
  if ((tag & 0x1f) === 0x1f) throw new DerError('tags of several bytes are not used here')
  let length = der[at + 1]!
  let start = at + 2
  if (length >= 0x80) {
    const bytes = length & 0x7f
    if (bytes === 0 || bytes > 4 || start + bytes > end) throw new DerError('a length is malformed')
    length = 0
    for (let i = 0; i < bytes; i++) length = length * 256 + der[start + i]!
    if (length < 0x80 || length < 256 ** (bytes - 1)) throw new DerError('a length is not of the shortest form')
    start += bytes
  }
  if (start + length > end) throw new DerError('an element is longer than what it is in')
  return { tag, at, start, end: start + length }
}

/** The one element that the bytes are. */
export function onlyDer(der: Uint8Array, tag: number): DerElement {
  const element = readDer(der, 0)
  if (element.tag !== tag || element.end !== der.length) throw new DerError('the bytes are not one element of the right kind')
  return element
}

/** The elements inside another. */
export function childrenOf(der: Uint8Array, parent: DerElement): readonly DerElement[] {
  const children: DerElement[] = []
  for (let at = parent.start; at < parent.end; ) {
    const child = readDer(der, at, parent.end)
    children.push(child)
    at = child.end
  }
  return children
}

export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) throw new DerError(`an element of tag ${tag} is missing`)
  return element
}

export function contentOf(der: Uint8Array, { start, end }: DerElement): Uint8Array {
  return der.subarray(start, end)
}

export function wholeOf(der: Uint8Array, { at, end }: DerElement): Uint8Array {
  return der.subarray(at, end)
}

/** `2.5.29.17`. */
export function oidOf(der: Uint8Array, element: DerElement): string {
  const bytes = contentOf(der, expectTag(element, TAG.oid))
  const arcs: bigint[] = []
  let arc = 0n
  for (const [index, byte] of bytes.entries()) {
    if (arc === 0n && byte === 0x80) throw new DerError('an object identifier is padded')
    arc = (arc << 7n) | BigInt(byte & 0x7f)
    if (byte < 0x80) {
      arcs.push(arc)
      arc = 0n
    } else if (index === bytes.length - 1) throw new DerError('an object identifier is cut short')
  }
  const [first = 0n, ...rest] = arcs
  const top = first < 40n ? 0n : first < 80n ? 1n : 2n
  return [top, first - top * 40n, ...rest].join('.')
}

export function booleanOf(der: Uint8Array, element: DerElement): boolean {
  const [value, ...more] = contentOf(der, expectTag(element, TAG.boolean))
  if (more.length > 0 || (value !== 0 && value !== 0xff)) throw new DerError('a boolean is malformed')
  return value === 0xff
}

/** The bits of a BIT STRING, most significant first. */
export function bitsOf(der: Uint8Array, element: DerElement): (bit: number) => boolean {
  const [unused = 0, ...bytes] = contentOf(der, expectTag(element, TAG.bitString))
  if (unused > 7) throw new DerError('a bit string is malformed')
  return (bit) => (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1
}

/** Milliseconds since the epoch. RFC 5280 §4.1.2.5 allows two forms, both in UTC and to the second. */
export function timeOf(der: Uint8Array, element: DerElement): number {
  const text = Buffer.from(contentOf(der, element)).toString('latin1')
  const utc = element.tag === TAG.utcTime
  const match = (utc ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/).exec(
    text,
  )
  if (match === null || (!utc && element.tag !== TAG.generalizedTime)) throw new DerError('a time is malformed')
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  const full = utc ? (year >= 50 ? 1900 + year : 2000 + year) : year
  return new Date(0).setUTCFullYear(full, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000
}
