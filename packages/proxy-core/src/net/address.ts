import { isIP, SocketAddress as NodeAddress } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { SocketAddress } from './connection.js'

// By port: the same few addresses are written again and again.
const SLOTS = 256
const written: { readonly address: string; readonly port: number; readonly text: string }[] = Array.from(
  { length: SLOTS },
  () => ({
    address: '',
    port: -1,
    text: '',
  }),
)

/** `10.0.0.1:80`, `[::1]:80`, or the path of a Unix socket. */
export function formatAddress(socketAddress: SocketAddress): string {
  const { address, port } = socketAddress
  const known = written[port % SLOTS]!
  if (known.port === port && known.address === address) return known.text
  if (isPath(socketAddress)) return address
  const text = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  written[port % SLOTS] = { address, port, text }
  return text
}

export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0
}

/** 16 bytes as RFC 5952 writes them and Node does: lower case, the longest run of zeros as `::`. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!)
  const [start, length] = longestZeros(groups)
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let longest: readonly [number, number] = [0, 0]
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > longest[1]) longest = [start, length]
  }
  return longest
}

/** As inet_ntop writes it: one text for one address. It must be one. */
export const canonicalIpv6 = (address: string): string => new NodeAddress({ address, family: 'ipv6' }).address

/** IPv4 addresses that came through an IPv6 socket are IPv4 addresses. */
export function canonicalIp(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}

/** The path of a Unix socket, or a name in the abstract namespace. */
export function isPath({ address, port }: SocketAddress): boolean {
  return port === 0 && (address.startsWith('/') || address.startsWith('@'))
}

/** The machine's first IPv4 address that is not its loopback; 127.0.0.1 where it has none. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1'
}
