import type { PortProtocol } from '@heddle/config-model'
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
}

/** One concern of an HTTP filter chain. A feature that has nothing to do for a listener gives no filters. */
export interface HttpFeature {
  readonly name: string
  filters(scope: HttpScope): readonly HttpFilter[]
}
