import type { MeshConfig, MeshProxyConfig, MeshService, MeshSnapshot, ServiceEndpoint, ServicePort } from '@heddle/config-model'
import type { DestinationRules } from './destination-rules.js'
import { type Origins, type Provenance, sourceOfKey } from './provenance.js'
import type { ProxyDescriptor } from './proxy.js'
import type { PeerPolicies } from './security/mtls-mode.js'
import type { View } from './view.js'

/** Where the keys of a JWT issuer are. */
export interface JwksSource {
  /** '': by OIDC discovery from the issuer. */
  readonly jwksUri: string
  readonly issuer: string
}

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
  /** Keys of an issuer that the policy does not give itself; undefined while nobody knows them. */
  readonly jwks: (source: JwksSource) => string | undefined
  /** Of Kubernetes hostnames: what a short name ends in. */
  readonly domainSuffix: string
}

/** Endpoints of a service's port, whatever ports the view left of the service. */
export function endpointsOf(build: Build, service: MeshService, portName: string): readonly ServiceEndpoint[] {
  return build.snapshot.endpoints(originalOf(build, service), portName)
}

/** The service with all its ports: a view may have fewer. */
export function originalOf(build: Build, service: MeshService): MeshService {
  return build.snapshot.servicesOf(service.hostname).find((s) => s.namespace === service.namespace) ?? service
}

/** `spec.ports[1]` of the Service or ServiceEntry that has the port. */
export function portSource(build: Build, service: MeshService, port: ServicePort): Provenance {
  const at = originalOf(build, service).ports.findIndex((p) => p.number === port.number)
  return sourceOfKey(service.source, at < 0 ? 'spec' : `spec.ports[${at}]`)
}

/** The VIP that a proxy calls, or `0.0.0.0` for a service without one. */
export function serviceAddress(service: MeshService): string {
  return vips(service)[0] ?? '0.0.0.0'
}

/** All VIPs, without the words that say there is none. */
export function vips(service: MeshService): readonly string[] {
  return service.headless ? [] : service.addresses.filter((a) => a !== '' && a !== 'None' && a !== '0.0.0.0')
}
