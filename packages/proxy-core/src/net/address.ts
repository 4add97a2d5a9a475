import { isIP } from 'node:net'
import type { SocketAddress } from './connection.js'

/** `10.0.0.1:80`, `[::1]:80`, or the path of a Unix socket. */
export function formatAddress({ address, port }: SocketAddress): string {
  if (port === 0 && (address.startsWith('/') || address.startsWith('@'))) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0
}
