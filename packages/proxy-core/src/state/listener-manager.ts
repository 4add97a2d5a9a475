import type { Clock, Logger } from '@heddle/runtime'
import type { CompiledListener } from '../config/compiled.js'
import { indexListeners, listenerAt } from '../config/listener-choice.js'
import type { Connection, SocketAddress } from '../net/connection.js'
import type { ListenerSession } from '../net/listener.js'
import type { Network } from '../net/network.js'
import { createListeningSockets, type ListeningSocket } from './listening-sockets.js'

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

/** Of `/drain_listeners`. */
export interface DrainOptions {
  /** Only listeners whose traffic_direction is INBOUND. */
  readonly inboundOnly?: boolean
  /** Connections go on coming until the drain time is over: they are only told to leave. */
  readonly graceful?: boolean
  /** Not even then: the sockets stay open. */
  readonly skipExit?: boolean
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
  drain(options?: DrainOptions): Promise<void>
  close(): Promise<void>
}

interface Served {
  readonly listener: CompiledListener
  readonly session: ListenerSession
  readonly sockets: readonly ListeningSocket[]
}

/** A session that is no longer in force. */
interface Retired {
  readonly name: string
  forget(): void
}

export function createListenerManager(options: ListenerManagerOptions): ListenerManager {
  const { network, clock, logger, drainTimeMs } = options
  const served = new Map<string, Served>()
  let byAddress: ReadonlyMap<string, Served> | undefined
  const sockets = createListeningSockets(network, logger)
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

  const set = async (listener: CompiledListener): Promise<void> => {
    const session = options.start(listener)
    const old = served.get(listener.name)
    const accept = (connection: Connection): void => {
      session.accept(connection)
      // Until the batch of changes is over, a listener that is gone still accepts.
      if (served.get(listener.name)?.session !== session) keep(session)
    }
    let opened: readonly ListeningSocket[]
    try {
      opened = await sockets.open(listener, old?.sockets ?? [], accept)
    } catch (error) {
      session.close()
      throw error
    }
    served.set(listener.name, { listener, session, sockets: opened })
    byAddress = undefined
    if (old !== undefined) void sockets.close(old.sockets.filter((socket) => !opened.includes(socket)))
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
        byAddress = undefined
        for (const socket of old.sockets) sockets.leave(socket)
        old.session.drain()
        keep(old.session)
      })
    },
    closeLeft() {
      queue = queue.then(() => sockets.closeLeft())
    },
    get listeners() {
      return [...served].map(([name, { listener, session, sockets: opened }]) => ({
        name,
        listener,
        address: opened[0]?.address ?? listener.address,
        connections: session.connections,
      }))
    },
    at(address) {
      byAddress ??= indexListeners([...served.values()], ({ listener }) => listener)
      return listenerAt(byAddress, address)?.session
    },
    get draining() {
      return draining.size
    },
    async drain({ inboundOnly = false, graceful = false, skipExit = false } = {}) {
      await queue
      const leaving = [...served.values()].filter(({ listener }) => !inboundOnly || listener.direction === 'INBOUND')
      const shut = (): Promise<void> =>
        inboundOnly ? sockets.close(leaving.flatMap(({ sockets }) => sockets)) : sockets.closeAll()
      if (graceful && !skipExit) clock.after(drainTimeMs, () => void shut())
      const closing = graceful || skipExit ? undefined : shut()
      const current = leaving.map(({ session }) => session)
      // A request may be on its way on a connection that is idle here: first the answers say that they are the last.
      for (const session of current) session.drain()
      const stop = clock.after(Math.min(IDLE_GRACE_MS, drainTimeMs), () => {
        for (const session of current) session.drain(true)
      })
      await closing
      await drained([...draining.keys(), ...current], clock, drainTimeMs)
      stop()
    },
    async close() {
      await queue
      const closing = sockets.closeAll()
      const retired = [...draining.keys()]
      for (const { forget } of [...draining.values()]) forget()
      for (const session of [...retired, ...[...served.values()].map((one) => one.session)]) session.close()
      served.clear()
      await closing
    },
  }
}

const POLL_MS = 20
/** How long idle connections may still bring a request once draining has begun. */
const IDLE_GRACE_MS = 500

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
