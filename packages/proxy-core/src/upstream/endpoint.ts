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
  /** 1 or more. */
  readonly weight: number
  /** 0 is the first choice. */
  readonly priority: number
  readonly locality: Locality
  readonly health: 'HEALTHY' | 'DEGRADED' | 'UNHEALTHY' | 'UNKNOWN' | 'DRAINING'
  /** health_check_config: where and how active checks reach it, as far as that differs from requests. */
  readonly healthCheck?:
    | {
        readonly port?: number
        readonly address?: SocketAddress
        readonly hostname?: string
        readonly disabled?: boolean
      }
    | undefined
  /** filter_metadata by namespace: `envoy.transport_socket_match`, `istio`, `envoy.lb`. */
  readonly metadata: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** A LocalityLbEndpoints without its endpoints. */
export interface LocalityWeight {
  readonly locality: Locality
  readonly priority: number
  /** load_balancing_weight; 0: the locality gets nothing when localities are weighted. */
  readonly weight: number
}

/** A ClusterLoadAssignment, compiled. Immutable: an update is a new set, in which endpoints that did not change stay the same objects. */
export interface EndpointSet {
  readonly endpoints: readonly Endpoint[]
  readonly localities: readonly LocalityWeight[]
  /** overprovisioning_factor in percent: 140 by default. */
  readonly overprovisioningFactor: number
}
