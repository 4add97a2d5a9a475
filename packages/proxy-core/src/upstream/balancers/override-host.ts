import { formatAddress } from '../../net/address.js'
import type { Endpoint, EndpointSet } from '../endpoint.js'
import type { LoadBalancerDeps, PickContext, Picker } from '../load-balancer.js'
import type { CreatePicker } from './subset.js'

/** Where a request may name its endpoints, `ip:port`, several by commas: the first that is there is taken. */
export interface OverrideHostConfig {
  /** Lower case; asked in order. */
  readonly headers: readonly string[]
}

/** envoy.load_balancing_policies.override_host: retries go down the list; `fallback` chooses for who names nobody. */
export function createOverrideHostPicker(
  { headers }: OverrideHostConfig,
  fallback: CreatePicker,
  set: EndpointSet,
  deps: LoadBalancerDeps,
): Picker {
  const byAddress = new Map(set.endpoints.map((endpoint) => [formatAddress(endpoint.address), endpoint]))
  const inner = fallback(set, deps)
  return {
    pick(context) {
      const named = namesIn(headers, context)
      const tried = context.tried ?? []
      for (const name of named) {
        const endpoint = byAddress.get(name)
        if (endpoint !== undefined && !tried.includes(endpoint) && isUsable(endpoint, deps)) return endpoint
      }
      return inner.pick(context)
    },
  }
}

function namesIn(headers: readonly string[], { head }: PickContext): readonly string[] {
  for (const header of headers) {
    const value = head?.headers.get(header)
    if (value !== undefined && value !== '') return value.split(',').map((name) => name.trim())
  }
  return []
}

function isUsable(endpoint: Endpoint, { isHealthy }: LoadBalancerDeps): boolean {
  return endpoint.health !== 'UNHEALTHY' && endpoint.health !== 'DRAINING' && isHealthy(endpoint)
}
