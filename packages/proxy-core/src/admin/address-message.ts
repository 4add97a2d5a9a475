import type { Address } from '@heddle/xds-types/envoy/config/core/v3'
import type { SocketAddress } from '../net/connection.js'

/** An address in Envoy's message form. */
export function addressMessage({ address, port }: SocketAddress): Address {
  return address.startsWith('/') ? { pipe: { path: address } } : { socket_address: { address, port_value: port } }
}
