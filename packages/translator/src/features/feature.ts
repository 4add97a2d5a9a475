import type { MeshService, PortProtocol } from '@heddle/config-model'
import type { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { Build } from '../build.js'
import type { ListenerClass } from '../proxy-headers.js'

/** The connection manager that filters are for. */
export interface HttpScope {
  readonly build: Build
  readonly listener: ListenerClass
  /** Of the listener; inbound the port of the workload. */
  readonly port: number
  readonly protocol: PortProtocol
  /** What comes out of a tunnel (HBONE): who sent it stands in filter state, not in a certificate of this connection. */
  readonly tunnelled: boolean
  /** Behind a waypoint: policies for it count. */
  readonly service: MeshService | undefined
  /** Peers have told each other who they are, or are known by address: no headers are needed. */
  readonly knownPeer: boolean
}

/** One concern of an HTTP filter chain. A feature that has nothing to do for a listener gives no filters. */
export interface HttpFeature {
  readonly name: string
  filters(scope: HttpScope): readonly HttpFilter[]
}
