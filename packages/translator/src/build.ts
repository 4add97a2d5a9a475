import type { MeshConfig, MeshProxyConfig, MeshService, MeshSnapshot, ServiceEndpoint } from '@heddle/config-model'
import type { DestinationRules } from './destination-rules.js'
import type { Origins } from './provenance.js'
import type { ProxyDescriptor } from './proxy.js'
import type { PeerPolicies } from './security/mtls-mode.js'
import type { View } from './view.js'

/** What every builder reads: the mesh, the proxy, and what the proxy sees of the mesh. Nothing in it changes during a translation. */
export interface Build {
  readonly snapshot: MeshSnapshot
  readonly mesh: MeshConfig
  /** ProxyConfig of this proxy: the mesh's default, over it what the node says. */
  readonly proxyConfig: MeshProxyConfig
  readonly proxy: ProxyDescriptor
  readonly view: View
  readonly rules: DestinationRules
  readonly peers: PeerPolicies
  readonly origins: Origins
}

/** Endpoints of a service's port, whatever ports the view left of the service. */
export function endpointsOf(build: Build, service: MeshService, portName: string): readonly ServiceEndpoint[] {
  const original = build.snapshot.servicesOf(service.hostname).find((s) => s.namespace === service.namespace) ?? service
  return build.snapshot.endpoints(original, portName)
}

/** The VIP that a proxy calls, or `0.0.0.0` for a service without one. */
export function serviceAddress(service: MeshService): string {
  return vips(service)[0] ?? '0.0.0.0'
}

/** All VIPs, without the words that say there is none. */
export function vips(service: MeshService): readonly string[] {
  return service.headless ? [] : service.addresses.filter((a) => a !== '' && a !== 'None' && a !== '0.0.0.0')
}
