import type { Endpoint } from '../endpoint.js'
import type { LoadBalancerDeps, PickContext } from '../load-balancer.js'

/** An endpoint with its weight among those it stands with. */
export interface WeightedEndpoint {
  readonly endpoint: Endpoint
  readonly weight: number
}

/** Chooses among endpoints that are all eligible. */
export interface Chooser {
  /** `attempt` counts draws that hit a tried endpoint: 0 first. */
  choose(context: PickContext, attempt: number): Endpoint | undefined
}

/** One policy: what Envoy's lb_policy names. Rebuilt when the eligible endpoints change. */
export interface ChooserPolicy {
  readonly name: string
  /** True for ring hash and maglev: the choice of a priority follows the hash too, and weights of localities go into the table. */
  readonly byHash: boolean
  create(hosts: readonly WeightedEndpoint[], deps: LoadBalancerDeps): Chooser
}

export const NOBODY: Chooser = { choose: () => undefined }

export function sameWeights(hosts: readonly WeightedEndpoint[]): boolean {
  return hosts.every(({ weight }) => weight === hosts[0]?.weight)
}
