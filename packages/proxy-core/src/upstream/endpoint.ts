import type { SocketAddress } from '../net/connection.js'

export interface Locality {
  region: string
  zone: string
  subZone: string
}

/** One LbEndpoint. Identity (===) is kept over updates in which nothing of it changed; pools and ejections hang on it. */
export interface Endpoint {
  readonly address: SocketAddress
  readonly hostname?: string
  readonly weight: number
  readonly priority: number
  readonly locality: Locality
  readonly health: 'HEALTHY' | 'DEGRADED' | 'UNHEALTHY' | 'UNKNOWN' | 'DRAINING'
  /** filter_metadata by namespace: `envoy.transport_socket_match`, `istio`, `envoy.lb`. */
  readonly metadata: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}
