import { isIpAddress } from './ip.js'

/** Addresses from `first` on whose first `bits` bits are the same. */
export interface Cidr {
  /** 4 or 16 bytes. */
  readonly first: readonly number[]
  readonly bits: number
}

/** `10.1.0.0/16`, or an address alone; undefined: neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', suffix] = text.split('/')
  const first = addressBytes(address)
  if (first === undefined) return undefined
  const bits = suffix === undefined ? first.length * 8 : /^\d{1,3}$/.test(suffix) ? Number(suffix) : -1
  return bits < 0 || bits > first.length * 8 ? undefined : { first, bits }
}

/** Whether an address is one of the range; `false` for what is no address. */
export function contains({ first, bits }: Cidr, address: string): boolean {
  const bytes = addressBytes(address)
  if (bytes === undefined || bytes.length !== first.length) return false
  return bytes.every((byte, i) => {
    const drop = 8 - Math.min(8, Math.max(0, bits - i * 8))
    return byte >> drop === first[i]! >> drop
  })
}

function addressBytes(text: string): readonly number[] | undefined {
  if (!isIpAddress(text)) return undefined
  if (!text.includes(':')) return text.split('.').map(Number)
  const [plain = ''] = text.split('%')
  const [head = '', tail] = plain.split('::')
  const front = groups(head)
  const back = groups(tail ?? '')
  const zeros = Array.from({ length: Math.max(0, 16 - front.length - back.length) }, () => 0)
  return tail === undefined ? front : [...front, ...zeros, ...back]
}

// An IPv4 address at the end stands for its four bytes.
function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}
