import type { Clock, Logger } from '@heddle/runtime'
import type { CompiledFilterChain, CompiledListener } from '../config/compiled.js'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import { inspectConnection } from '../filters/listener/inspect.js'
import type { ListenerStats } from '../observe/stats.js'
import { formatAddress } from './address.js'
import type { Connection } from './connection.js'
import type { Tls } from './tls.js'

/** What takes connections over when a filter chain has been chosen: an HTTP manager or a TCP proxy. */
export interface Terminal {
  serve(connection: Connection, facts: ConnectionFacts): void
  readonly connections: number
  /** What is open may go on until it is over; HTTP says `connection: close`. `closeIdle`: what is idle is over. */
  drain(closeIdle?: boolean): void
  destroy(): void
}

export interface ListenerSessionOptions {
  readonly listener: CompiledListener
  /** Called once for each chain, when it is first chosen. */
  terminal(chain: CompiledFilterChain): Terminal
  readonly tls: Tls
  readonly clock: Clock
  readonly logger: Logger
  readonly stats: ListenerStats
}

/** The life of one listener as it was configured at one time; its sockets belong to somebody else. */
export interface ListenerSession {
  accept(connection: Connection): void
  readonly connections: number
  /** See {@link Terminal.drain}. */
  drain(closeIdle?: boolean): void
  close(): void
}

/** A connection's way: listener filters, filter chain, TLS, guards, terminal filter. */
export function createListenerSession(options: ListenerSessionOptions): ListenerSession {
  const { listener, tls, clock, logger, stats } = options
  const terminals = new Map<CompiledFilterChain, Terminal>()
  /** Accepted, but not given to a terminal filter yet. */
  const pending = new Set<Connection>()
  let draining = false

  const terminalOf = (chain: CompiledFilterChain): Terminal => {
    let terminal = terminals.get(chain)
    if (terminal === undefined) {
      terminal = options.terminal(chain)
      terminals.set(chain, terminal)
      if (draining) terminal.drain()
    }
    return terminal
  }

  const secure = async (connection: Connection, chain: CompiledFilterChain): Promise<Connection> => {
    if (chain.tls === undefined) return connection
    const { transportSocketConnectTimeoutMs: timeoutMs } = chain
    const stop =
      timeoutMs > 0
        ? clock.after(timeoutMs, () => connection.destroy(new Error(`the TLS handshake took longer than ${timeoutMs} ms`)))
        : undefined
    try {
      const secured = await tls.accept(connection, chain.tls)
      stats.sslHandshake.inc()
      return secured
    } catch (error) {
      stats.sslConnectionError.inc()
      throw error
    } finally {
      stop?.()
    }
  }

  const serve = async (accepted: Connection): Promise<void> => {
    const facts = await inspectConnection(accepted, listener, clock)
    if (facts === undefined) {
      stats.downstreamPreCxTimeout.inc()
      throw new Error('the listener filters learned nothing in time')
    }
    const chain = listener.chainFor(facts)
    if (chain === undefined) {
      stats.noFilterChainMatch.inc()
      throw new Error('no filter chain fits')
    }
    const connection = await secure(accepted, chain)
    const known: ConnectionFacts = connection.tls === undefined ? facts : { ...facts, peerUris: connection.tls.peerUris }
    for (const guard of chain.guards) {
      if (guard.allow(known)) continue
      connection.destroy()
      throw new Error(`${guard.name} does not let it in`)
    }
    pending.delete(accepted)
    terminalOf(chain).serve(connection, known)
    connection.resume()
  }

  return {
    accept(connection) {
      pending.add(connection)
      stats.downstreamCxTotal.inc()
      stats.downstreamCxActive.add(1)
      connection.onClosed(() => {
        stats.downstreamCxActive.add(-1)
        stats.downstreamCxDestroy.inc()
      })
      serve(connection).catch((error: Error) => {
        pending.delete(connection)
        logger.debug(
          { listener: listener.name, remote: formatAddress(connection.remote), reason: error.message },
          'a connection was refused',
        )
        connection.destroy()
      })
    },
    get connections() {
      let count = pending.size
      for (const terminal of terminals.values()) count += terminal.connections
      return count
    },
    drain(closeIdle) {
      draining = true
      for (const terminal of terminals.values()) terminal.drain(closeIdle)
    },
    close() {
      draining = true
      for (const connection of pending) connection.destroy()
      for (const terminal of terminals.values()) terminal.destroy()
    },
  }
}
