import type { Collection } from '@heddle/runtime'
import { type DestinationRuleHosts, deriveDestinationRules } from './destination-rules.js'
import { deriveHosts, type HostServices } from './hosts.js'
import { derivePolicies, type Policies } from './policies.js'
import type { MeshService } from './service.js'
import { deriveSidecarScopes, type SidecarScope } from './sidecar-scopes.js'
import type { CatalogOptions } from './sources.js'
import { deriveVirtualHosts, type SidecarHostPolicy, type VirtualHosts } from './virtual-hosts.js'
import { deriveVirtualServices, type EffectiveVirtualService } from './virtual-services.js'

/** Who sees what, and which of several objects counts: a collection for each concern. Each is built when it is first asked for. */
export interface Precedence {
  /** By hostname. */
  readonly hosts: Collection<HostServices>
  /** By `namespace/name`; with delegates merged in and names resolved. */
  readonly virtualServices: Collection<EffectiveVirtualService>
  readonly virtualHosts: VirtualHosts
  /** By `namespace/host`. */
  readonly destinationRules: Collection<DestinationRuleHosts>
  /** By `namespace/name` of the Sidecars. */
  readonly sidecarScopes: Collection<SidecarScope>
  readonly policies: Policies
}

export interface PrecedenceOptions extends CatalogOptions {
  readonly services: Collection<MeshService>
  readonly sidecarHosts: SidecarHostPolicy
}

export function createPrecedence(options: PrecedenceOptions): Precedence {
  const { sources, meshConfig, domainSuffix, services, sidecarHosts } = options
  const virtualServices = once(() => deriveVirtualServices(sources.VirtualService, meshConfig, domainSuffix))
  const virtualHosts = once(() => deriveVirtualHosts({ virtualServices: virtualServices(), meshConfig, policy: sidecarHosts }))
  const hosts = once(() => deriveHosts(services))
  const destinationRules = once(() => deriveDestinationRules(sources.DestinationRule, domainSuffix))
  const sidecarScopes = once(() => deriveSidecarScopes(sources.Sidecar, meshConfig))
  const policies = once(() => derivePolicies(sources))
  return {
    get hosts() {
      return hosts()
    },
    get virtualServices() {
      return virtualServices()
    },
    get virtualHosts() {
      return virtualHosts()
    },
    get destinationRules() {
      return destinationRules()
    },
    get sidecarScopes() {
      return sidecarScopes()
    },
    get policies() {
      return policies()
    },
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
