import type { SocketAddress } from '../connection.js'
import type { Libc } from './libc.js'
import { OriginalDstError } from './original-dst.js'

const SOL_IP = 0
const SOL_IPV6 = 41
const IP_TRANSPARENT = 19
const IPV6_TRANSPARENT = 75
const ON = Uint8Array.of(1, 0, 0, 0)

/** Lets a socket have addresses that are not this machine's. */
export function setTransparent(libc: Pick<Libc, 'setsockopt'>, fd: number, ipv6: boolean): boolean {
  const [level, option] = ipv6 ? [SOL_IPV6, IPV6_TRANSPARENT] : [SOL_IP, IP_TRANSPARENT]
  return libc.setsockopt(fd, level, option, ON, ON.length) === 0
}

/** Lets a bound socket take connections that a TPROXY rule brings. The process needs CAP_NET_ADMIN only for this call. */
export function makeTransparent(libc: Pick<Libc, 'setsockopt' | 'errno'>, fd: number, { address, port }: SocketAddress): void {
  if (setTransparent(libc, fd, address.includes(':'))) return
  throw new OriginalDstError(
    `the socket on ${address}:${port} cannot be made transparent (errno ${libc.errno()}): a listener with \`transparent\` needs the capability CAP_NET_ADMIN when it is bound; use REDIRECT and use_original_dst without it`,
  )
}
