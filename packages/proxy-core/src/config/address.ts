import type { Address, SocketAddress as SocketAddressProto } from '@heddle/xds-types/envoy/config/core/v3'
import { isIpAddress } from '../net/address.js'
import type { SocketAddress } from '../net/connection.js'
import type { Fields } from './fields.js'

const NOWHERE: SocketAddress = { address: '', port: 0 }

/** A socket address or a pipe; internal listeners are refused. */
export function compileAddress(fields: Fields<Address> | undefined): SocketAddress {
  if (fields === undefined) return NOWHERE
  const socket = fields.message('socket_address')
  const pipe = fields.message('pipe')
  const address =
    socket !== undefined ? compileSocketAddress(socket) : pipe !== undefined ? { address: pipe.string('path'), port: 0 } : NOWHERE
  pipe?.done({ mode: 'the umask decides' })
  fields.done()
  return address
}

/** The same of something that no name stands for. */
export function compileLiteral(fields: Fields<{ address?: Address }>, name: 'address'): SocketAddress {
  const address = compileAddress(fields.message(name))
  if (!isLiteral(address)) fields.problem(`${JSON.stringify(address.address)} is no IP address.`, name)
  return address
}

/** An IP address, a pipe, or nothing; no name, which somebody would have to look up. */
export function isLiteral({ address }: SocketAddress): boolean {
  return address === '' || address.startsWith('/') || address.startsWith('@') || isIpAddress(address)
}

export function compileSocketAddress(fields: Fields<SocketAddressProto>): SocketAddress {
  fields.choice('protocol', ['TCP'], 'TCP')
  const address: SocketAddress = { address: fields.string('address'), port: fields.number('port_value') }
  fields.done({ ipv4_compat: 'the system decides' })
  return address
}
