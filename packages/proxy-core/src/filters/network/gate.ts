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
  /** False: the connection may not go on. It is then the gate's to close. */
  admit(connection: Connection): boolean
}
