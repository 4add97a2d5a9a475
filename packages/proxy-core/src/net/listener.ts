import type { Clock, Logger } from '@heddle/runtime'
import type { CompiledFilterChain, CompiledListener, NetworkGuard } from '../config/compiled.js'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import { inspectConnection } from '../filters/listener/inspect.js'
import type { Authorizer } from '../filters/network/authorizer.js'
import type { Gatekeeper, GateRefusal } from '../filters/network/gate.js'
import { createListenerLog, type ListenerLog } from '../observe/listener-log.js'
import type { ProxyProtocolStats } from '../observe/proxy-protocol-stats.js'
import type { ListenerStats } from '../observe/stats.js'
import { formatAddress } from './address.js'
import { CLOSE_REASON, closeFor } from './close-reason.js'
import type { Connection, SocketAddress } from './connection.js'
import { withGuardMetadata } from './guard-metadata.js'
import { refusingGuard, sameIntake, sameTransport, successionOf } from './succession.js'
import type { Served, Terminal } from './terminal.js'
import type { Tls } from './tls.js'

export interface ListenerSessionOptions {
  readonly listener: CompiledListener
  /** Called once for each chain, when it is first chosen. */
  terminal(chain: CompiledFilterChain): Terminal
  readonly tls: Tls
  readonly clock: Clock
  readonly logger: Logger
  readonly stats: ListenerStats
  /** A network filter has judged a connection. */
  judged?(guard: NetworkGuard, facts: ConnectionFacts, allowed: boolean): void
  /** Called once for each chain: what its connection and rate limits count by. */
  gates?(chain: CompiledFilterChain): readonly Gatekeeper[]
  /** Called once for each chain: who is asked about its connections. */
  authorizers?(chain: CompiledFilterChain): readonly Authorizer[]
  readonly proxyProtocolStats?: ProxyProtocolStats
  /** The session of the listener at this address, for use_original_dst; without it connections stay where they are accepted. */
  sessionAt?(destination: SocketAddress): ListenerSession | undefined
}

/** The life of one listener as it was configured at one time; its sockets belong to somebody else. */
export interface ListenerSession {
  readonly listener: CompiledListener
  accept(connection: Connection): void
  /** As `accept`, what another listener was the first to accept: it stays here, whatever use_original_dst says. */
  takeOver(connection: Connection): void
  /** Asks those whom a chain asks about a connection. Rejects when one of them refuses it. */
  authorize(connection: Connection, facts: ConnectionFacts, chain: CompiledFilterChain): Promise<void>
  /** Serves what another session has led through listener filters and TLS. Throws when a guard refuses it. */
  admit(connection: Connection, facts: ConnectionFacts, chain: CompiledFilterChain): void
  /** Goes on with what another session serves, under a chain of this one. False: it cannot. */
  adopt(open: OpenConnection, chain: CompiledFilterChain): boolean
  /**
   * `next` is in force instead. HTTP connections go on there with their next request where it has a chain for them; no request
   * that comes from now on is judged by this session.
   */
  handOver(next: ListenerSession): void
  readonly connections: number
  /** Told once, when the last connection has left. */
  onEmpty(run: () => void): void
  /** See {@link Terminal.drain}. */
  drain(closeIdle?: boolean): void
  close(): void
}

/** A connection that was let in, with what chose its chain. */
export interface OpenConnection {
  readonly connection: Connection
  readonly facts: ConnectionFacts
  readonly served: Served
  chain: CompiledFilterChain
  /** The session that has it hears when it is gone. */
  home: { gone(open: OpenConnection): void }
}

/** A connection's way: listener filters, filter chain, TLS, guards, authorizers, terminal filter. */
export function createListenerSession(options: ListenerSessionOptions): ListenerSession {
  return new Session(options)
}

class Session implements ListenerSession {
  readonly listener: CompiledListener
  readonly #options: ListenerSessionOptions
  readonly #log: ListenerLog | undefined
  readonly #terminals = new Map<CompiledFilterChain, Terminal>()
  readonly #gates = new Map<CompiledFilterChain, readonly Gatekeeper[]>()
  readonly #authorizers = new Map<CompiledFilterChain, readonly Authorizer[]>()
  /** Accepted, but not given to a terminal filter yet. */
  readonly #pending = new Set<Connection>()
  readonly #open = new Set<OpenConnection>()
  #draining = false
  #successor: ListenerSession | undefined
  #onEmpty: (() => void) | undefined

  constructor(options: ListenerSessionOptions) {
    this.#options = options
    this.listener = options.listener
    this.#log = createListenerLog(options.listener, options.clock)
  }

  get connections(): number {
    return this.#pending.size + this.#open.size
  }

  accept(connection: Connection): void {
    this.#begin(connection, this.listener.useOriginalDst)
  }

  takeOver(connection: Connection): void {
    this.#begin(connection, false)
  }

  #begin(connection: Connection, mayHandOff: boolean): void {
    const { listener, logger } = this.#options
    this.#pending.add(connection)
    const now = this.#options.clock.monotonic()
    connection.times ??= { began: now, connected: now }
    this.#serve(connection, mayHandOff).catch((error: Error) => {
      logger.debug(
        { listener: listener.name, remote: formatAddress(connection.remote), reason: error.message },
        'a connection was refused',
      )
      connection.destroy()
      this.#pending.delete(connection)
      this.#left()
    })
  }

  async #serve(accepted: Connection, mayHandOff: boolean): Promise<void> {
    const { clock, stats, sessionAt } = this.#options
    const facts = await inspectConnection(accepted, this.listener, clock, this.#options.proxyProtocolStats)
    if (facts === undefined) {
      stats.downstreamPreCxTimeout.inc()
      throw new Error('the listener filters learned nothing in time')
    }
    const { originalDestination } = accepted
    const meant = mayHandOff && originalDestination !== undefined ? sessionAt?.(originalDestination) : undefined
    if (meant !== undefined && meant.listener.name !== this.listener.name) {
      this.#pending.delete(accepted)
      meant.takeOver(accepted)
      this.#left()
      return
    }
    const chosenBy = this.#inForce()
    const chain = chosenBy.chainFor(facts)
    if (chain === undefined) {
      stats.noFilterChainMatch.inc()
      this.#log?.unserved(accepted, facts, { flag: 'NR', details: 'filter_chain_not_found' })
      throw new Error('no filter chain fits')
    }
    count(accepted, stats)
    const refusal = refusalOf(this.#gatesOf(chain), accepted)
    if (refusal !== undefined) {
      // What a gate holds back for a while is still here.
      accepted.onClosed(() => {
        this.#terminalOf(chain).refused?.(accepted, facts, refusal)
        this.#log?.unserved(accepted, facts, refusal)
        this.#pending.delete(accepted)
        this.#left()
      })
      return
    }
    const connection = await secure(accepted, facts, chain, this.#options).catch((error: Error) => {
      this.#log?.unserved(accepted, facts, { transportFailure: `TLS_error: ${error.message}` })
      throw error
    })
    const known: ConnectionFacts = connection.tls === undefined ? facts : { ...facts, peerUris: connection.tls.peerUris }
    let final = this.#finalChain(connection, known, chosenBy, chain)
    // Who is asked takes time, in which the listener may be replaced again.
    for (let asked: CompiledFilterChain | undefined; final !== asked && final.authorizers.length > 0; ) {
      asked = final
      await this.#home.authorize(connection, known, final)
      final = this.#finalChain(connection, known, chosenBy, chain)
    }
    this.#pending.delete(accepted)
    this.#home.admit(connection, known, final)
    this.#left()
  }

  /** Where a connection belongs that is accepted now. */
  get #home(): ListenerSession {
    return this.#successor ?? this
  }

  /** The chain in force for a connection that was secured by `chain`, with what its guards leave. */
  #finalChain(
    connection: Connection,
    facts: ConnectionFacts,
    chosenBy: CompiledListener,
    chain: CompiledFilterChain,
  ): CompiledFilterChain {
    const inForce = this.#inForce()
    const final = inForce === chosenBy ? chain : inForce.chainFor(facts)
    if (final === undefined || !sameTransport(chain, final)) {
      connection.destroy()
      throw new Error('the listener has changed during the handshake')
    }
    connection.metadata = withGuardMetadata(connection.metadata, final, facts)
    connection.servedAt = final.servedAt
    return final
  }

  /** The listener may be replaced while a connection is on its way. */
  #inForce(): CompiledListener {
    if (this.#successor === undefined) return this.listener
    const { listener } = this.#successor
    if (!sameIntake(this.listener, listener)) throw new Error('the listener has changed')
    return listener
  }

  async authorize(connection: Connection, facts: ConnectionFacts, chain: CompiledFilterChain): Promise<void> {
    // `admit` refuses it, and nobody needs to be asked.
    if (refusingGuard(chain, facts) !== undefined) return
    for (const authorizer of this.#authorizersOf(chain)) {
      const refusal = await authorizer.check(connection)
      if (connection.closed) throw new Error('the client did not wait')
      if (refusal === undefined) continue
      connection.localCloseReason = CLOSE_REASON.extAuthz
      this.#terminalOf(chain).refused?.(connection, facts, refusal)
      this.#log?.unserved(connection, facts, refusal)
      connection.destroy()
      throw new Error(refusal.details)
    }
  }

  admit(connection: Connection, facts: ConnectionFacts, chain: CompiledFilterChain): void {
    const guard = refusingGuard(chain, facts, this.#options.judged)
    if (guard !== undefined) {
      connection.localCloseReason = CLOSE_REASON.rbac
      connection.terminationDetails = guard.terminationDetails(facts)
      this.#terminalOf(chain).refused?.(connection, facts)
      this.#log?.unserved(connection, facts, {})
      connection.destroy()
      throw new Error(`${guard.name} does not let it in`)
    }
    // Before the terminal, which may want to wait: what listener filters read is told in a later turn.
    connection.resume()
    const served = this.#terminalOf(chain).serve(connection, facts)
    this.#log?.served(connection, facts, served)
    const open: OpenConnection = { connection, facts, served, chain, home: this }
    this.#open.add(open)
    connection.onClosed(() => open.home.gone(open))
  }

  adopt(open: OpenConnection, chain: CompiledFilterChain): boolean {
    const { servedAt } = open.connection
    open.connection.servedAt = chain.servedAt
    if (!this.#terminalOf(chain).adopt(open.served)) {
      open.connection.servedAt = servedAt
      return false
    }
    open.chain = chain
    open.home = this
    this.#open.add(open)
    return true
  }

  handOver(next: ListenerSession): void {
    this.#successor = next
    for (const open of this.#open) {
      if (open.connection.closed) continue
      const succession = successionOf(this.listener, open.chain, open.facts, next.listener)
      if (succession.kind === 'adopted' && next.adopt(open, succession.chain)) this.#open.delete(open)
      else open.served.retire(succession.kind === 'refused')
    }
    this.#left()
  }

  gone(open: OpenConnection): void {
    this.#open.delete(open)
    this.#left()
  }

  onEmpty(run: () => void): void {
    this.#onEmpty = run
    this.#left()
  }

  drain(closeIdle?: boolean): void {
    this.#draining = true
    for (const terminal of this.#terminals.values()) terminal.drain(closeIdle)
  }

  close(): void {
    this.#draining = true
    for (const connection of this.#pending) connection.destroy()
    for (const terminal of this.#terminals.values()) terminal.destroy()
  }

  #left(): void {
    if (this.connections > 0) return
    const run = this.#onEmpty
    this.#onEmpty = undefined
    run?.()
  }

  #gatesOf(chain: CompiledFilterChain): readonly Gatekeeper[] {
    let gates = this.#gates.get(chain)
    if (gates === undefined) {
      gates = this.#options.gates?.(chain) ?? []
      this.#gates.set(chain, gates)
    }
    return gates
  }

  #authorizersOf(chain: CompiledFilterChain): readonly Authorizer[] {
    let authorizers = this.#authorizers.get(chain)
    if (authorizers === undefined) {
      authorizers = this.#options.authorizers?.(chain) ?? []
      this.#authorizers.set(chain, authorizers)
    }
    return authorizers
  }

  #terminalOf(chain: CompiledFilterChain): Terminal {
    let terminal = this.#terminals.get(chain)
    if (terminal === undefined) {
      terminal = this.#options.terminal(chain)
      this.#terminals.set(chain, terminal)
      if (this.#draining) terminal.drain()
    }
    return terminal
  }
}

/** Of the first gate that has one: those behind it do not count the connection. */
function refusalOf(gates: readonly Gatekeeper[], connection: Connection): GateRefusal | undefined {
  for (const gate of gates) {
    const refusal = gate.refuse(connection)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** Its sockets ask for the destination before redirection. */
export function asksOriginalDestination({ useOriginalDst, listenerFilters }: CompiledListener): boolean {
  return useOriginalDst || listenerFilters.includes('original_dst')
}

/** Out here, so that a connection does not hold the session that accepted it. */
function count(connection: Connection, stats: ListenerStats): void {
  stats.downstreamCxTotal.inc()
  stats.downstreamCxActive.add(1)
  connection.onClosed(() => {
    stats.downstreamCxActive.add(-1)
    stats.downstreamCxDestroy.inc()
  })
}

async function secure(
  connection: Connection,
  { transportProtocol, serverName, applicationProtocols: alpn }: ConnectionFacts,
  chain: CompiledFilterChain,
  { tls, clock, stats }: ListenerSessionOptions,
): Promise<Connection> {
  if (chain.tls === undefined) return connection
  const { transportSocketConnectTimeoutMs: timeoutMs } = chain
  const stop =
    timeoutMs > 0
      ? clock.after(timeoutMs, () =>
          closeFor(connection, CLOSE_REASON.handshakeTimeout, new Error(`the TLS handshake took longer than ${timeoutMs} ms`)),
        )
      : undefined
  try {
    const hello = transportProtocol === 'tls' ? { alpn, ...(serverName !== undefined && { serverName }) } : undefined
    const secured = await tls.accept(connection, chain.tls, hello)
    if (secured.times !== undefined) secured.times.secured = clock.monotonic()
    stats.ssl.established(secured)
    return secured
  } catch (error) {
    stats.ssl.failed(error)
    throw error
  } finally {
    stop?.()
  }
}
