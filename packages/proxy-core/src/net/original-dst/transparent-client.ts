import { Socket, type SocketConstructorOpts } from 'node:net'
import { parseIp } from '../../matcher/ip.js'
import type { Libc } from './libc.js'
import { OriginalDstError } from './original-dst.js'
import { setTransparent } from './transparent.js'

const SOL_SOCKET = 1
const SO_MARK = 36
const SOL_IP = 0
const IP_BIND_ADDRESS_NO_PORT = 24
const AF_INET = 2
const AF_INET6 = 10
/** SOCK_STREAM, non-blocking, closed on exec. */
const STREAM = 1 | 0x800 | 0x80000

/** Whose address an outgoing connection has, and the mark by which routing brings the answers back. */
export interface TransparentSource {
  readonly address: string
  /** 0: none. */
  readonly mark: number
}

/**
 * A socket that is not connected yet and will be from an address that is not this machine's. Needs CAP_NET_ADMIN. Throws
 * {@link OriginalDstError}.
 */
export function createTransparentSocket(
  libc: Libc,
  { address, mark }: TransparentSource,
  options: SocketConstructorOpts,
): Socket {
  const ipv6 = address.includes(':')
  const fd = libc.socket(ipv6 ? AF_INET6 : AF_INET, STREAM, 0)
  const option = (level: number, name: number, value: number): boolean => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return libc.setsockopt(fd, level, name, bytes, bytes.length) === 0
  }
  const sockaddr = sockaddrOf(address)
  const bound =
    fd >= 0 &&
    setTransparent(libc, fd, ipv6) &&
    (mark === 0 || option(SOL_SOCKET, SO_MARK, mark)) &&
    // The port is chosen with the destination: else all of them would be used up at once.
    (option(SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1) || true) &&
    libc.bind(fd, sockaddr, sockaddr.length) === 0
  if (bound) return new Socket({ ...options, fd, manualStart: true } as SocketConstructorOpts)
  const reason = libc.errno()
  if (fd >= 0) libc.close(fd)
  throw new OriginalDstError(
    `no connection can be made from ${address} (errno ${reason}): the listener filter original_src needs the capability CAP_NET_ADMIN`,
  )
}

/** struct sockaddr_in or sockaddr_in6, with port 0. */
function sockaddrOf(address: string): Uint8Array {
  const ip = parseIp(address)
  const bits = address.includes(':') ? 128 : 32
  const bytes = Buffer.from((ip?.value ?? 0n).toString(16).padStart(bits / 4, '0'), 'hex')
  const sockaddr = Buffer.alloc(bits === 32 ? 16 : 28)
  sockaddr.writeUInt16LE(bits === 32 ? AF_INET : AF_INET6, 0)
  bytes.copy(sockaddr, bits === 32 ? 4 : 8)
  return sockaddr
}
