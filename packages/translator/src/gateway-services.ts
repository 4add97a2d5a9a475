import type { MeshService } from '@heddle/config-model'
import type { Build } from './build.js'
import type { BoundServer } from './gateways.js'
import { referencedServices } from './patches/envoy-filters.js'
import { providerServices } from './service-lookup.js'
import { destinationsOf, effectiveVirtualServices } from './virtual-services.js'

/**
 * The services whose clusters a gateway gets: all that it sees or, with PILOT_FILTER_GATEWAY_CLUSTER_CONFIG, those that VirtualServices of its Gateways
 * lead to, that the mesh's providers are, and that EnvoyFilters say they need.
 */
export function gatewayServices(build: Build, servers: () => readonly BoundServer[]): readonly MeshService[] {
  const { view, features } = build
  if (!features.gatewayClustersByRoute || build.proxy.type !== 'router') return view.services
  return build.memo.of('services of gateway', [], () => {
    const wanted = new Set([...routedHosts(build, servers()), ...providerServices(build.mesh), ...referencedServices(build)])
    return view.services.filter(({ hostname, namespace }) => wanted.has(hostname) || wanted.has(`${namespace}/${hostname}`))
  })
}

function routedHosts({ snapshot, domainSuffix, features }: Build, servers: readonly BoundServer[]): readonly string[] {
  const bound = new Set(servers.map(({ gatewayName }) => gatewayName))
  return effectiveVirtualServices(snapshot, domainSuffix).flatMap((vs) =>
    vs.gateways
      .filter((gateway) => bound.has(gateway))
      .flatMap((gateway) => [
        ...destinationsOf(vs, features.scopeGateways ? gateway.slice(0, gateway.indexOf('/')) : undefined).keys(),
      ]),
  )
}
