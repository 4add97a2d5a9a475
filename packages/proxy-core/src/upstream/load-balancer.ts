import type { Random } from '@heddle/runtime'
import type { Endpoint } from './endpoint.js'

/** What a picker may look at. */
export interface PickContext {
  /** From the route's hash policies. */
  hash?: bigint | undefined
  /** Of earlier attempts of this request: a picker tries to avoid them (previous_hosts). */
  tried?: readonly Endpoint[] | undefined
  /** How often a tried endpoint is drawn again before it is taken all the same (host_selection_retry_max_attempts); 1 by default. */
  attempts?: number | undefined
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
  /** Changes whenever `isHealthy` may answer differently; with it a pick costs no walk over all endpoints. */
  healthEpoch?(): number
}
