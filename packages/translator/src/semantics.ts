import type { Gateway, VirtualService } from '@heddle/config-model'
import type { ProxyDescriptor } from './proxy.js'
import type { ServiceTarget } from './service-targets.js'

/** Of which API a VirtualService is made, where it was not written as one: some things then mean what they mean there. */
export type RouteSemantics = 'istio' | 'gateway' | 'ingress'

/** Says Istio's annotation `internal.istio.io/route-semantics`. */
export function routeSemantics({ metadata }: VirtualService): RouteSemantics {
  const said = metadata.annotations['internal.istio.io/route-semantics']
  return said === 'gateway' || said === 'ingress' ? said : 'istio'
}

/**
 * The service ports by which a Gateway reaches a proxy where the Gateway names its Services instead of labels
 * (annotation `internal.istio.io/gateway-service`); undefined: it chooses by its selector.
 */
export function namedTargets(
  { metadata }: Gateway,
  proxy: ProxyDescriptor,
  targets: readonly ServiceTarget[],
): readonly ServiceTarget[] | undefined {
  const said = metadata.annotations['internal.istio.io/gateway-service']
  if (said === undefined) return undefined
  const services = said.split(',')
  const namespace = metadata.annotations['internal.istio.io/parent-namespace'] ?? metadata.namespace
  if (proxy.namespace !== namespace) return []
  return targets.filter(({ service }) => service.namespace === namespace && services.includes(service.hostname))
}
