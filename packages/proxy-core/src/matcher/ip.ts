import { ipv6Text } from '../net/address.js'
/** An IP address as a number with its width in bits; an IPv4-mapped IPv6 address is the IPv4 address. */
export interface IpNumber {
  readonly bits: 32 | 128
  readonly value: bigint
}

const MAPPED = 0xffffn << 32n

/** Undefined: no IP address. A zone (`%eth0`) is refused (CVE-2026-26310). */
export function parseIp(text: string): IpNumber | undefined {
  if (!text.includes(':')) {
    const value = parseV4(text)
    return value === undefined ? undefined : { bits: 32, value }
  }
  const value = parseV6(text)
  if (value === undefined) return undefined
  return value >> 32n === MAPPED >> 32n ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value }
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = [groups(halves[0]!), halves.length === 2 ? groups(halves[1]!) : []]
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...head, ...new Array<number>(missing).fill(0), ...tail].reduce((value, group) => (value << 16n) | BigInt(group), 0n)
}

function groups(text: string): number[] | undefined {
  if (text === '') return []
  const out: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes('.')) {
      const v4 = parseV4(part)
      if (v4 === undefined) return undefined
      out.push(Number(v4 >> 16n), Number(v4 & 0xffffn))
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16))
    else return undefined
  }
  return out
}

/** `10.1.2.3` under 24 bits: `10.1.2.0/24`. Undefined: no address, or a length that its family does not have. */
export function maskAddress(address: string, length: number): string | undefined {
  const ip = parseIp(address)
  if (ip === undefined || length < 0 || length > ip.bits) return undefined
  const rest = BigInt(ip.bits - length)
  const masked = (ip.value >> rest) << rest
  const bytes = Uint8Array.from({ length: ip.bits / 8 }, (_, i) => Number((masked >> BigInt(ip.bits - 8 - i * 8)) & 255n))
  return `${ip.bits === 32 ? bytes.join('.') : ipv6Text(bytes)}/${length}`
}
