import type { SocketAddress } from '../connection.js'

/** The PROXY protocol, versions 1 (text) and 2 (binary): haproxy.org/download/3.0/doc/proxy-protocol.txt. */

/** A type-length-value field of version 2. */
export interface Tlv {
  readonly type: number
  readonly value: Uint8Array
}

/** Who a proxy speaks for. */
export interface ProxiedConnection {
  readonly source: SocketAddress
  readonly destination: SocketAddress
  readonly tlvs: readonly Tlv[]
}

export type ProxyProtocolVersion = 'V1' | 'V2'

export const V1_SIGNATURE: Buffer = Buffer.from('PROXY ')
export const V2_SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Signature, version and command, family and transport, length. */
export const V2_PREFIX = 16
/** Of the address block: two addresses and two ports. */
export const V2_ADDRESSES = { ipv4: 12, ipv6: 36 } as const
/** "PROXY TCP6 " with the longest addresses and ports, and the line's end. */
export const V1_LONGEST = 107
