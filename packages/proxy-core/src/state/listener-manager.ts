import type { Clock, Logger } from '@heddle/runtime'
import type { CompiledListener } from '../config/compiled.js'
import { formatAddress } from '../net/address.js'
import type { SocketAddress } from '../net/connection.js'
import type { ListenerSession } from '../net/listener.js'
import type { BoundListener, Network } from '../net/network.js'

export interface ListenerManagerOptions {
  network: Network
  /** Begins a session; from then on it may get connections. */
  start(listener: CompiledListener): ListenerSession
  clock: Clock
  logger: Logger
  /** How long connections of a listener that is gone, or was replaced, may go on. */
  drainTimeMs: number
}

export interface ListenerView {
  readonly name: string
  readonly listener: CompiledListener
  /** As bound; as configured when it binds to no port. */
  readonly address: SocketAddress
  readonly connections: number
}

/** Owns the listening sockets. */
export interface ListenerManager {
  /** In place of the listener of the same name. Rejects with the system's error, and the old one goes on. */
  set(listener: CompiledListener): Promise<void>
  /** The socket stays open until {@link closeLeft}, so that another listener can take it over. */
  remove(name: string): void
  /** Ends a batch of changes: sockets that nobody took over are closed. */
  closeLeft(): void
  readonly listeners: readonly ListenerView[]
  /** The listener that would have got a connection to this address: for redirected connections. */
  at(address: SocketAddress): ListenerSession | undefined
  /** Sessions of listeners that are gone or were replaced, and still have connections. */
  readonly draining: number
  /** No new connections; resolves when the last one has ended, at the latest after the drain time. */
  drain(): Promise<void>
  close(): Promise<void>
}

interface Served {
  readonly listener: CompiledListener
  readonly session: ListenerSession
  readonly socket: Socket | undefined
}

interface Socket {
  readonly key: string
  bound: BoundListener | undefined
  owner: ListenerSession
}

/** A session that is no longer in force. */
interface Retired {
  readonly name: string
  forget(): void
}

export function createListenerManager(options: ListenerManagerOptions): ListenerManager {
  const { network, clock, logger, drainTimeMs } = options
  const served = new Map<string, Served>()
  const sockets = new Map<string, Socket>()
  const left = new Set<Socket>()
  const draining = new Map<ListenerSession, Retired>()

  /** Keeps a session as long as it has connections, and no longer than the drain time. */
  const keep = (session: ListenerSession): void => {
    if (session.connections === 0 || draining.has(session)) return
    const stop = clock.after(drainTimeMs, () => {
      draining.delete(session)
      session.close()
    })
    const forget = (): void => {
      draining.delete(session)
      stop()
    }
    draining.set(session, { name: session.listener.name, forget })
    session.onEmpty(forget)
  }

  const replace = (old: ListenerSession | undefined, next: ListenerSession): void => {
    const { name } = next.listener
    for (const [session, retired] of draining) if (retired.name === name) session.handOver(next)
    if (old === undefined) return
    old.handOver(next)
    keep(old)
  }

  const bind = async (listener: CompiledListener, session: ListenerSession, key: string): Promise<Socket> => {
    const socket: Socket = { key, bound: undefined, owner: session }
    sockets.set(key, socket)
    try {
      socket.bound = await network.listen({ address: listener.address }, (connection) => {
        socket.owner.accept(connection)
        // Until the batch of changes is over, a listener that is gone still accepts.
        if (left.has(socket)) keep(socket.owner)
      })
    } catch (error) {
      sockets.delete(key)
      throw error
    }
    return socket
  }

  const socketFor = (listener: CompiledListener, session: ListenerSession): undefined | Socket | Promise<Socket> => {
    if (!listener.bindToPort) return undefined
    const key = keyOf(listener)
    const socket = sockets.get(key)
    if (socket === undefined) return bind(listener, session, key)
    const owned = served.get(listener.name)?.socket === socket
    if (!owned && !left.has(socket)) throw new Error(`${formatAddress(listener.address)} belongs to another listener`)
    left.delete(socket)
    return socket
  }

  const closeSocket = (socket: Socket): void => {
    sockets.delete(socket.key)
    socket.bound?.close().catch((error: unknown) => logger.error({ error: String(error) }, 'closing a listening socket failed'))
  }

  const set = async (listener: CompiledListener): Promise<void> => {
    const session = options.start(listener)
    let socket: Socket | undefined
    try {
      socket = await socketFor(listener, session)
    } catch (error) {
      session.close()
      throw error
    }
    const old = served.get(listener.name)
    served.set(listener.name, { listener, session, socket })
    if (socket !== undefined) socket.owner = session
    if (old?.socket !== undefined && old.socket !== socket) closeSocket(old.socket)
    replace(old?.session, session)
  }

  // Changes come one after another: two at once could both find an address free.
  let queue: Promise<unknown> = Promise.resolve()

  return {
    set(listener) {
      const outcome = queue.then(() => set(listener))
      queue = outcome.catch(() => {})
      return outcome
    },
    remove(name) {
      queue = queue.then(() => {
        const old = served.get(name)
        if (old === undefined) return
        served.delete(name)
        if (old.socket !== undefined) left.add(old.socket)
        old.session.drain()
        keep(old.session)
      })
    },
    closeLeft() {
      queue = queue.then(() => {
        for (const socket of left) closeSocket(socket)
        left.clear()
      })
    },
    get listeners() {
      return [...served].map(([name, { listener, session, socket }]) => ({
        name,
        listener,
        address: socket?.bound?.address ?? listener.address,
        connections: session.connections,
      }))
    },
    at(address) {
      const all = [...served.values()]
      const exact = all.find(
        ({ listener }) => listener.address.port === address.port && listener.address.address === address.address,
      )
      return (exact ?? all.find(({ listener }) => listener.address.port === address.port && isWildcard(listener.address.address)))
        ?.session
    },
    get draining() {
      return draining.size
    },
    async drain() {
      await queue
      const closing = [...sockets.values()].map((socket) => socket.bound?.close())
      sockets.clear()
      const current = [...served.values()].map(({ session }) => session)
      for (const session of current) session.drain(true)
      await Promise.allSettled(closing)
      await drained([...draining.keys(), ...current], clock, drainTimeMs)
    },
    async close() {
      await queue
      const closing = [...sockets.values()].map((socket) => socket.bound?.close())
      sockets.clear()
      const retired = [...draining.keys()]
      for (const { forget } of [...draining.values()]) forget()
      for (const session of [...retired, ...[...served.values()].map((one) => one.session)]) session.close()
      served.clear()
      await Promise.allSettled(closing)
    },
  }
}

const POLL_MS = 20

function drained(sessions: readonly ListenerSession[], clock: Clock, limitMs: number): Promise<void> {
  const until = clock.monotonic() + limitMs
  return new Promise((resolve) => {
    const look = (): void => {
      if (clock.monotonic() >= until || sessions.every((session) => session.connections === 0)) resolve()
      else clock.after(POLL_MS, look)
    }
    look()
  })
}

const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'

/** Port 0 is a different port each time, so such a socket belongs to its listener's name. */
function keyOf({ name, address }: CompiledListener): string {
  return address.port === 0 && !address.address.startsWith('/') ? `${name} ${address.address}` : formatAddress(address)
}
