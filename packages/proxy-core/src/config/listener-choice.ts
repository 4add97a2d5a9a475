import type { SocketAddress } from '../net/connection.js'
import type { CompiledListener } from './compiled.js'

/** By `address:port`, the first that claims it. */
export function indexListeners<T>(all: readonly T[], listenerOf: (one: T) => CompiledListener): ReadonlyMap<string, T> {
  const index = new Map<string, T>()
  for (const one of all) {
    const { address, additionalAddresses } = listenerOf(one)
    for (const each of [address, ...additionalAddresses]) if (!index.has(keyOf(each))) index.set(keyOf(each), one)
  }
  return index
}

/** The listener of the exact address and port, then that of any address with the port: where use_original_dst hands a connection on. */
export function listenerAt<T>(index: ReadonlyMap<string, T>, { address, port }: SocketAddress): T | undefined {
  return (
    index.get(keyOf({ address, port })) ??
    index.get(keyOf({ address: address.includes(':') ? '::' : '0.0.0.0', port })) ??
    index.get(keyOf({ address: '::', port }))
  )
}

/** The listener that a connection to `destination` ends up at, redirected ones included. */
export function listenerFor(
  listeners: readonly CompiledListener[],
  destination: SocketAddress,
  direction: 'INBOUND' | 'OUTBOUND' = 'OUTBOUND',
): CompiledListener | undefined {
  const index = indexListeners(listeners, (listener) => listener)
  return (
    listenerAt(index, destination) ?? listeners.find((listener) => listener.useOriginalDst && listener.direction === direction)
  )
}

const keyOf = ({ address, port }: SocketAddress): string => `${address} ${port}`
