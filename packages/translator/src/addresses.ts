/** IP ranges as text: `10.1.2.3/8` is `10.0.0.0/8`, an address alone is a range of one. */
export interface IpRange {
  readonly address: string
  readonly length: number
}

const V4 = /^\d{1,3}(\.\d{1,3}){3}$/

/** The range with the bits that do not count set to zero; undefined when it is none. */
export function parseRange(text: string): IpRange | undefined {
  const [address = '', suffix] = text.split('/')
  const bits = V4.test(address) ? 32 : address.includes(':') ? 128 : undefined
  const length = suffix === undefined ? bits : Number(suffix)
  if (bits === undefined || length === undefined || !Number.isInteger(length) || length < 0 || length > bits) return undefined
  if (length === bits) return { address, length }
  const size = bits === 32 ? 8 : 16
  const parts = bits === 32 ? address.split('.').map(Number) : groupsOf(address)
  const masked = parts.map((part, i) => mask(part, Math.min(size, Math.max(0, length - i * size)), size))
  return { address: bits === 32 ? masked.join('.') : compress(masked), length }
}

/** The 4 or 16 bytes of an address; undefined when it is none. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (V4.test(text)) {
    const parts = text.split('.').map(Number)
    return parts.every((part) => part <= 255) ? Uint8Array.from(parts) : undefined
  }
  if (!text.includes(':')) return undefined
  const groups = groupsOf(text)
  if (groups.length !== 8 || !groups.every((group) => group >= 0 && group <= 0xffff)) return undefined
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function mask(value: number, keep: number, size: number): number {
  const drop = 2 ** (size - keep)
  return Math.floor(value / drop) * drop
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::')
  const numbers = (text: string): number[] => (text === '' ? [] : text.split(':').map((g) => Number.parseInt(g, 16)))
  const front = numbers(head)
  if (tail === undefined) return front
  const back = numbers(tail)
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back]
}

/** RFC 5952: the longest run of zeros, of at least two, becomes `::`. */
function compress(groups: readonly number[]): string {
  let [best, length] = [-1, 1]
  for (let i = 0; i < groups.length; i++) {
    let end = i
    while (groups[end] === 0) end++
    if (end - i > length) [best, length] = [i, end - i]
  }
  const hex = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(':')
  return best < 0 ? hex(groups) : `${hex(groups.slice(0, best))}::${hex(groups.slice(best + length))}`
}
