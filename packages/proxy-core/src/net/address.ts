import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { SocketAddress } from './connection.js'

/** `10.0.0.1:80`, `[::1]:80`, or the path of a Unix socket. */
export function formatAddress({ address, port }: SocketAddress): string {
  if (port === 0 && (address.startsWith('/') || address.startsWith('@'))) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0
}

/** The machine's first IPv4 address that is not its loopback; 127.0.0.1 where it has none. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find((one) => one.family === 'IPv4' && !one.internal)?.address ?? '127.0.0.1'
}
