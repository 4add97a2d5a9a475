import type { Random } from '@heddle/runtime'
import type { RequestHead } from '../route/table.js'
import type { Endpoint } from './endpoint.js'

/** What a picker may look at. */
export interface PickContext {
  /** From the route's hash policies. */
  hash?: bigint | undefined
  /** Of earlier attempts of this request: a picker tries to avoid them (previous_hosts). */
  tried?: readonly Endpoint[] | undefined
  /** The same for endpoints that a retry_host_predicate does not want. */
  rejects?: ((endpoint: Endpoint) => boolean) | undefined
  /** This priority alone: an aggregate cluster has chosen it. */
  priority?: number | undefined
  /** Priorities that earlier attempts were sent to: others take their load (previous_priorities). */
  triedPriorities?: ReadonlySet<number> | undefined
  /** How often a tried endpoint is drawn again before it is taken all the same (host_selection_retry_max_attempts); 1 by default. */
  attempts?: number | undefined
  /** The request, where it may name its endpoint itself. */
  head?: RequestHead | undefined
  /** The same of a connection that is no request: `host:port`. */
  hostPort?: string | undefined
  /** metadata_match of the route, for subset load balancing. */
  metadataMatch?: Readonly<Record<string, unknown>> | undefined
}

/** Chooses an endpoint. Replaced when endpoints change, never mutated. */
export interface Picker {
  /** Undefined: no healthy endpoint (503 UH). */
  pick(context: PickContext): Endpoint | undefined
}

export interface LoadBalancerDeps {
  random: Random
  /** Requests under way at an endpoint; for least request. */
  activeRequests(endpoint: Endpoint): number
  /** Not ejected by outlier detection, not failed by health checks. Asked at every pick, so that no picker need be rebuilt. */
  isHealthy(endpoint: Endpoint): boolean
  /** A health check has found it degraded. */
  isDegraded?(endpoint: Endpoint): boolean
  /** It does not count in the size of its priority (immediate health check failure). */
  isExcluded?(endpoint: Endpoint): boolean
  /** How long it has been healthy, in milliseconds; for slow start. */
  healthyForMs?(endpoint: Endpoint): number
  /** A choice was made without looking at health: lb_healthy_panic. */
  onPanic?(): void
  /** Changes whenever `isHealthy` may answer differently; with it a pick costs no walk over all endpoints. */
  healthEpoch?(): number
}
