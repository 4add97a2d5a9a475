import type { Random } from '@heddle/runtime'
import type { Endpoint } from './endpoint.js'

/** What a picker may look at. */
export interface PickContext {
  /** From the route's hash policies. */
  hash?: bigint
  /** Of earlier attempts of this request: a picker tries to avoid them (previous_hosts). */
  tried?: readonly Endpoint[]
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
  /** Not ejected by outlier detection, not failed by health checks. */
  isHealthy(endpoint: Endpoint): boolean
}

/** One balancing policy. */
export interface LoadBalancer<C> {
  readonly name: string
  create(config: C, endpoints: readonly Endpoint[], deps: LoadBalancerDeps): Picker
}
