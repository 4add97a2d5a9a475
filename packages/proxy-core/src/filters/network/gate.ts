import type { Clock, MetricsRegistry } from '@heddle/runtime'
import type { Connection } from '../../net/connection.js'

export interface GateDeps {
  readonly clock: Clock
  readonly stats: MetricsRegistry
}

/** A network filter that counts connections, for all of its filter chain together. */
export interface NetworkGate {
  readonly name: string
  create(deps: GateDeps): Gatekeeper
}

export interface Gatekeeper {
  /** Undefined: the connection may go on. Else it is the gate's to close. */
  refuse(connection: Connection): GateRefusal | undefined
}

export interface GateRefusal {
  /** A response flag. */
  readonly flag?: string
}
