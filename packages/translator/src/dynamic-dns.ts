import type { MeshService } from '@heddle/config-model'
import type { Build } from './build.js'
import { lookupFamily } from './families.js'
import { type TypedMessage, typed } from './message.js'

/** ServiceEntry with resolution DYNAMIC_DNS: any host under a wildcard, resolved when it is called (Envoy's dynamic forward proxy). */

const DNS = 'envoy.extensions'

function cacheOf(build: Build, service: MeshService): object {
  return { dns_cache_config: { name: `${service.hostname}_dfp_dns_cache`, dns_lookup_family: lookupFamily(build) } }
}

export function dynamicCluster(
  build: Build,
  service: MeshService,
): { readonly name: string; readonly typed_config: TypedMessage } {
  return {
    name: 'envoy.clusters.dynamic_forward_proxy',
    typed_config: typed(`${DNS}.clusters.dynamic_forward_proxy.v3.ClusterConfig`, cacheOf(build, service)),
  }
}

/** Resolves the Host of a request before the router picks the address. */
export function dynamicHttpFilter(
  build: Build,
  service: MeshService,
): { readonly name: string; readonly typed_config: TypedMessage } {
  return {
    name: 'envoy.filters.http.dynamic_forward_proxy',
    typed_config: typed(`${DNS}.filters.http.dynamic_forward_proxy.v3.FilterConfig`, cacheOf(build, service)),
  }
}

/** Resolves the SNI of a connection. */
export function dynamicSniFilter(
  build: Build,
  service: MeshService,
  port: number,
): { readonly name: string; readonly typed_config: TypedMessage } {
  const config = { port_value: port, ...cacheOf(build, service) }
  return {
    name: `${DNS}.filters.network.sni_dynamic_forward_proxy`,
    typed_config: typed(`${DNS}.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig`, config),
  }
}

/** Those that a listener of the port serves. */
export function dynamicServices(build: Build, port: number): readonly MeshService[] {
  const all = build.memo.of('dynamic services', [], () => build.view.services.filter((s) => s.resolution === 'DynamicDNS'))
  return all.filter((s) => s.ports.some((p) => p.number === port))
}
