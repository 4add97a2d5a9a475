import { parseIp } from '../../matcher/ip.js'
import { type ProxiedConnection, type ProxyProtocolVersion, V2_ADDRESSES, V2_SIGNATURE } from './header.js'

const LOCAL = 0x20
const PROXY = 0x21
const TCP_OVER = { ipv4: 0x11, ipv6: 0x21 } as const

/**
 * The header that tells an upstream who is served. Addresses of two families, or of Unix sockets, cannot be told: then the proxy
 * speaks for itself. Throws a RangeError when the TLVs are longer than a header can be (65,535 bytes).
 */
export function writeProxyHeader(version: ProxyProtocolVersion, proxied: ProxiedConnection): Uint8Array {
  return version === 'V1' ? writeV1(proxied) : writeV2(proxied)
}

function writeV1({ source, destination }: ProxiedConnection): Uint8Array {
  const family = familyOf(source.address, destination.address)
  if (family === undefined) return Buffer.from('PROXY UNKNOWN\r\n')
  const protocol = family === 'ipv4' ? 'TCP4' : 'TCP6'
  return Buffer.from(`PROXY ${protocol} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`)
}

function writeV2({ source, destination, tlvs }: ProxiedConnection): Uint8Array {
  const family = familyOf(source.address, destination.address)
  if (family === undefined) return Buffer.concat([V2_SIGNATURE, Uint8Array.of(LOCAL, 0, 0, 0)])
  const length = V2_ADDRESSES[family] + tlvs.reduce((sum, { value }) => sum + 3 + value.length, 0)
  if (length > 0xffff) throw new RangeError(`the TLVs of a PROXY header take ${length} bytes, more than it can hold`)
  const parts = [
    V2_SIGNATURE,
    Uint8Array.of(PROXY, TCP_OVER[family], ...uint16(length)),
    bytesOf(source.address),
    bytesOf(destination.address),
    Uint8Array.of(...uint16(source.port), ...uint16(destination.port)),
  ]
  for (const { type, value } of tlvs) parts.push(Uint8Array.of(type, ...uint16(value.length)), value)
  return Buffer.concat(parts)
}

const uint16 = (value: number): readonly [number, number] => [value >> 8, value & 0xff]

function familyOf(source: string, destination: string): 'ipv4' | 'ipv6' | undefined {
  const [from, to] = [parseIp(source), parseIp(destination)]
  if (from === undefined || to === undefined || from.bits !== to.bits) return undefined
  return from.bits === 32 ? 'ipv4' : 'ipv6'
}

function bytesOf(address: string): Uint8Array {
  const { bits, value } = parseIp(address) ?? { bits: 32, value: 0n }
  return Buffer.from(value.toString(16).padStart(bits / 4, '0'), 'hex')
}
