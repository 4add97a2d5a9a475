import { formatAddress } from '../address.js'
import type { SocketAddress } from '../connection.js'
import type { OriginalDst } from './original-dst.js'

/**
 * Where a rule gives each destination an address of its own, as `dnat ip to ip daddr . tcp dport map @vips` of nftables with
 * elements like `10.96.0.10 . 80 : 127.1.0.1 . 15101`: the map back, from local address (`127.1.0.1:15101`) to destination. Needs
 * no native code, and knows only what is in the map; `destinations` may change while it is used.
 */
export function createMappedOriginalDst(destinations: ReadonlyMap<string, SocketAddress>): OriginalDst {
  return { of: ({ local }) => destinations.get(formatAddress(local)) }
}
