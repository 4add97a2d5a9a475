import type { CidrRange } from '@heddle/xds-types/envoy/config/core/v3'
import type { Fields } from '../config/fields.js'
import { type IpNumber, parseIp } from './ip.js'

/** One block of addresses. IPv4-mapped IPv6 addresses count as IPv4. */
export interface Cidr {
  readonly bits: 32 | 128
  readonly length: number
  /** `10.0.0.0/8`, as it was written. */
  readonly text: string
  contains(ip: IpNumber): boolean
}

/** Undefined: no address, or a length that its family does not have. */
export function createCidr(address: string, length: number): Cidr | undefined {
  const ip = parseIp(address)
  if (ip === undefined || !Number.isInteger(length) || length < 0) return undefined
  const written = address.includes(':') ? 128 : 32
  if (length > written) return undefined
  const own = Math.max(0, length - (written - ip.bits))
  const shift = BigInt(ip.bits - own)
  const network = ip.value >> shift
  return {
    bits: ip.bits,
    length: own,
    text: `${address}/${length}`,
    contains: (other) => other.bits === ip.bits && other.value >> shift === network,
  }
}

export function compileCidr(fields: Fields<CidrRange>): Cidr | undefined {
  const cidr = createCidr(fields.string('address_prefix'), fields.number('prefix_len'))
  fields.done()
  if (cidr === undefined) fields.problem('must be an IP address with a prefix length of its family.')
  return cidr
}

/** True when any of the blocks holds the address; false for what is no IP address. */
export function createCidrSet(cidrs: readonly Cidr[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => false
  const known = new Map<string, boolean>()
  return (address) => {
    let held = known.get(address)
    if (held === undefined) {
      const ip = parseIp(address)
      held = ip !== undefined && cidrs.some((cidr) => cidr.contains(ip))
      if (known.size >= MOST_KNOWN) known.clear()
      known.set(address, held)
    }
    return held
  }
}

/** Answers that are kept: clients ask often, and an address takes long to read. */
const MOST_KNOWN = 1024
