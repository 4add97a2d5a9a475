import type { MeshService, ServiceEndpoint } from './catalog/service.js'
import type { SidecarHostPolicy } from './catalog/virtual-hosts.js'
import type { KindName, KindOf } from './kinds/index.js'
import type { MeshConfig } from './kinds/mesh-config.js'

/** The mesh at one moment: consistent, immutable, cheap to take. What the translator reads. */
export interface MeshSnapshot {
  /** Grows with every batch that changed something. */
  readonly revision: number
  /** Istio's defaults with the user's config laid over them. */
  readonly meshConfig: MeshConfig
  /** What sidecars do with several VirtualServices of one host: {@link StoreOptions.sidecarHosts}. */
  readonly sidecarHosts: SidecarHostPolicy
  /** All valid resources of a kind, those that follow from the Gateway API and Ingress included, oldest first (an object without a time is oldest), then by `name.namespace` as in Istio. The same array as long as nothing of the kind changed. */
  list<K extends KindName>(kind: K): readonly KindOf<K>[]
  get<K extends KindName>(kind: K, namespace: string, name: string): KindOf<K> | undefined
  /** Services of all registries, sorted by hostname, then namespace. */
  readonly services: readonly MeshService[]
  servicesOf(hostname: string): readonly MeshService[]
  /** Endpoints of one port; the same array as long as they are the same. */
  endpoints(service: MeshService, portName: string): readonly ServiceEndpoint[]
}
