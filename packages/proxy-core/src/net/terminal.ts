import type { ConnectionFacts } from '../filters/listener/facts.js'
import type { StreamInfo } from '../http/stream-info.js'
import type { Connection } from './connection.js'

/** What takes connections over when a filter chain has been chosen: an HTTP manager or a TCP proxy. */
export interface Terminal {
  serve(connection: Connection, facts: ConnectionFacts): Served
  /** A network filter before it did not let this connection in: it is logged. */
  refused?(connection: Connection, facts: ConnectionFacts, refusal?: Refusal): void
  /** Takes over what another terminal serves, from its next request on. False: it cannot, and nothing has changed. */
  adopt(served: Served): boolean
  readonly connections: number
  /** What is open may go on until it is over; HTTP says `connection: close`. `closeIdle`: what is idle is over. */
  drain(closeIdle?: boolean): void
  destroy(): void
}

/** What access logs say of a connection that was not let in. */
export interface Refusal {
  /** A response flag. */
  readonly flag?: string
  /** Response code details. */
  readonly details?: string
}

/** One connection in the hands of a terminal. */
export interface Served {
  /** Of what has one story for the whole connection: it, as far as it has come. */
  story?(): StreamInfo
  /**
   * Its filter chain is no longer in force, and no other goes on with it: HTTP serves no further request. What has no requests
   * goes on, unless it was `refused`: the new chain would not have let it in.
   */
  retire(refused: boolean): void
}
