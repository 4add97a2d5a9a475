import type { SocketAddress } from '../net/connection.js'
import type { CompiledListener } from './compiled.js'

const ANY_ADDRESS = new Set(['0.0.0.0', '::'])

/**
 * The listener that takes a connection to `destination`: the exact address and port, then any address with that port, then
 * the one that takes redirected connections (use_original_dst, which binds a port of its own).
 */
export function listenerFor(
  listeners: readonly CompiledListener[],
  destination: SocketAddress,
  direction: 'INBOUND' | 'OUTBOUND' = 'OUTBOUND',
): CompiledListener | undefined {
  const onPort = listeners.filter(({ address }) => address.port === destination.port)
  return (
    onPort.find(({ address }) => address.address === destination.address) ??
    onPort.find(({ address }) => ANY_ADDRESS.has(address.address)) ??
    listeners.find((listener) => listener.useOriginalDst && listener.direction === direction)
  )
}
