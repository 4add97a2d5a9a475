import type { Collection } from '@heddle/runtime'
import type { MeshService, ServiceEndpoint } from './service.js'
import { createEndpoints } from './service-endpoints.js'
import { createServices } from './services.js'
import type { CatalogOptions } from './sources.js'

/** Services of all registries and their endpoints. */
export interface Catalog {
  /** By `namespace/hostname`. A Kubernetes Service hides a ServiceEntry of its host in its namespace. */
  readonly services: Collection<MeshService>
  /** By `namespace/hostname/portName`; ports without endpoints are there, too. */
  readonly endpoints: Collection<readonly ServiceEndpoint[]>
}

export function createCatalog(options: CatalogOptions): Catalog {
  const { services, entriesByHost } = createServices(options)
  return { services, endpoints: createEndpoints(services, entriesByHost, options) }
}
