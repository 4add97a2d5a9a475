import { type Collection, derive, deriveMany, type Index, index, join } from '@heddle/runtime'
import type { ServiceEntry } from '../kinds/service-entry.js'
import { keyOf } from '../resource.js'
import { compareText } from '../sorted-list.js'
import { fromKubernetesServices, namesAccounts } from './kubernetes-service.js'
import type { MeshService } from './service.js'
import { allocateAddresses } from './service-addresses.js'
import { fromServiceEntries } from './service-entry.js'
import type { CatalogOptions } from './sources.js'
import { namespaceDistributions } from './traffic-distribution.js'

export interface Services {
  readonly services: Collection<MeshService>
  /** The ServiceEntries of a service, by its key. */
  readonly entriesByHost: Index<ServiceEntry>
}

export function serviceKey(service: MeshService): string {
  return `${service.namespace}/${service.hostname}`
}

export function createServices(options: CatalogOptions): Services {
  const { graph, sources } = options
  const entriesByHost = index(
    sources.ServiceEntry,
    ({ metadata, spec }) => spec.hosts.map((host) => `${metadata.namespace}/${host.toLowerCase()}`),
    { name: 'catalog.service-entries.by-host' },
  )
  const distributions = namespaceDistributions(sources.Namespace)
  const addresses = options.allocateAddresses ? allocateAddresses(graph, sources.ServiceEntry) : undefined
  const ofEntries = derive(
    entriesByHost,
    (entries, read, key) => {
      const slash = key.indexOf('/')
      const [namespace, hostname] = [key.slice(0, slash), key.slice(slash + 1)]
      const address = addresses?.of(read, namespace, hostname)
      return fromServiceEntries(entries, hostname, address, read.get(distributions, `/${namespace}`))
    },
    { name: 'catalog.services.service-entry' },
  )
  const services = join([ofKubernetes(options, distributions), ofEntries], { name: 'catalog.services' })
  return { services, entriesByHost }
}

/** Of the Services of one name in several clusters, the first by key builds the service. */
function ofKubernetes(
  { sources, meshConfig, domainSuffix, cluster }: CatalogOptions,
  distributions: Collection<string>,
): Collection<MeshService> {
  const byName = index(sources.Service, ({ metadata }) => `${metadata.namespace}/${metadata.name}`, {
    name: 'catalog.services.by-name',
  })
  return deriveMany(
    sources.Service,
    (service, read) => {
      const { namespace, name } = service.metadata
      const all = [...read.list(byName, `${namespace}/${name}`)].sort((a, b) => compareText(keyOf(a), keyOf(b)))
      if (all[0] !== service) return []
      // Reading the mesh config makes a service depend on it: only where it says accounts.
      const trustDomain = namesAccounts(service) ? (read.get(meshConfig, '')?.trustDomain ?? '') : ''
      const distribution = read.get(distributions, `/${namespace}`)
      const derived = fromKubernetesServices(all, { domainSuffix, trustDomain, distribution }, cluster)
      return derived === undefined ? [] : [[serviceKey(derived), derived] as const]
    },
    { name: 'catalog.services.kubernetes' },
  )
}
