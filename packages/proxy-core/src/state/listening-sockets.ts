import type { Logger } from '@heddle/runtime'
import type { CompiledListener } from '../config/compiled.js'
import { formatAddress, isPath } from '../net/address.js'
import type { Connection, SocketAddress } from '../net/connection.js'
import { asksOriginalDestination } from '../net/listener.js'
import type { BoundListener, Network } from '../net/network.js'

/** A bound address. Who hears its connections may change while it is open. */
export interface ListeningSocket {
  readonly key: string
  readonly address: SocketAddress
  accept(connection: Connection): void
}

export interface ListeningSockets {
  /**
   * The sockets of a listener, one for each address: those of `owned` (of the listener that it replaces), those that were left,
   * new ones, which give their connections to `accept`. Rejects with the system's error, and nothing has changed.
   */
  open(
    listener: CompiledListener,
    owned: readonly ListeningSocket[],
    accept: (connection: Connection) => void,
  ): Promise<readonly ListeningSocket[]>
  /** Stays open until {@link closeLeft}, so that another listener can take it over. */
  leave(socket: ListeningSocket): void
  isLeft(socket: ListeningSocket): boolean
  closeLeft(): void
  close(sockets: Iterable<ListeningSocket>): Promise<void>
  closeAll(): Promise<void>
}

interface OpenSocket extends ListeningSocket {
  accept: (connection: Connection) => void
  readonly bound: BoundListener
  readonly intake: string
}

export function createListeningSockets(network: Network, logger: Logger): ListeningSockets {
  const open = new Map<string, OpenSocket>()
  const left = new Set<ListeningSocket>()

  const close = async (sockets: Iterable<ListeningSocket>): Promise<void> => {
    const closing = [...sockets].map((socket) => {
      const { bound } = open.get(socket.key) ?? {}
      open.delete(socket.key)
      return bound?.close()
    })
    for (const outcome of await Promise.allSettled(closing))
      if (outcome.status === 'rejected') logger.error({ error: String(outcome.reason) }, 'closing a listening socket failed')
  }

  const bind = async (listener: CompiledListener, address: SocketAddress, key: string): Promise<OpenSocket> => {
    const redirected = asksOriginalDestination(listener)
    const { transparent } = listener
    const ipv6Only = hasIpv4Twin(listener, address)
    const bound = await network.listen({ address, redirected, transparent, ipv6Only }, (connection) => socket.accept(connection))
    const socket: OpenSocket = { key, bound, address: bound.address, intake: intakeOf(listener), accept: (one) => one.destroy() }
    open.set(key, socket)
    return socket
  }

  return {
    async open(listener, owned, accept) {
      const addresses = listener.bindToPort ? [listener.address, ...listener.additionalAddresses] : []
      const sockets: OpenSocket[] = []
      const made: OpenSocket[] = []
      try {
        for (const [index, address] of addresses.entries()) {
          const key = keyOf(listener.name, address, index)
          let socket = open.get(key)
          if (socket === undefined) made.push((socket = await bind(listener, address, key)))
          else if (!owned.includes(socket) && !left.has(socket))
            throw new Error(`${formatAddress(address)} belongs to another listener`)
          else if (socket.intake !== intakeOf(listener))
            throw new Error(
              `${formatAddress(address)} is bound already: whether it is transparent, or asks for original destinations, cannot change while it is; remove the listener first`,
            )
          sockets.push(socket)
        }
      } catch (error) {
        await close(made)
        throw error
      }
      for (const socket of sockets) {
        left.delete(socket)
        socket.accept = accept
      }
      return sockets
    },
    leave: (socket) => void left.add(socket),
    isLeft: (socket) => left.has(socket),
    closeLeft() {
      void close(left)
      left.clear()
    },
    close,
    closeAll: () => close(open.values()),
  }
}

/** What a socket is told when it is bound. */
function intakeOf(listener: CompiledListener): string {
  return `${asksOriginalDestination(listener)} ${listener.transparent}`
}

/** `::` would take what belongs to another address of the listener. */
function hasIpv4Twin(listener: CompiledListener, { address, port }: SocketAddress): boolean {
  const twins = [listener.address, ...listener.additionalAddresses]
  return address === '::' && twins.some((twin) => twin.address === '0.0.0.0' && twin.port === port)
}

/** Port 0 is a different port each time, so such a socket belongs to its listener's name. */
function keyOf(name: string, address: SocketAddress, index: number): string {
  return address.port === 0 && !isPath(address) ? `${name} ${index} ${address.address}` : formatAddress(address)
}
