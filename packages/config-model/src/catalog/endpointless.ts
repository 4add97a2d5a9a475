import { type Collection, derive, type Index, type Read } from '@heddle/runtime'
import type { KindOf } from '../kinds/index.js'
import { keyOf, type ResourceKey } from '../resource.js'
import type { MeshService, ServiceEndpoint } from './service.js'
import { endpointsKey } from './service-endpoints.js'
import type { KindCollections } from './sources.js'
import { byLabels, selectedBy } from './workloads.js'

/** A Service that selects what is written, and has no endpoints all the same. */
export interface EndpointlessService {
  readonly service: ResourceKey
  /** What it selects: Pods, and the controllers whose templates it fits. */
  readonly selected: readonly ResourceKey[]
  /** Whether one of them has an address: then somebody else speaks of endpoints, or a port has no such name. */
  readonly addressed: boolean
}

const CONTROLLERS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const

interface Candidate {
  readonly key: ResourceKey
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly addressed: boolean
}

/** By the keys of the services. Headless ones are left out: proxies go where the application goes. */
export function deriveEndpointless(
  sources: KindCollections,
  services: Collection<MeshService>,
  endpoints: Collection<readonly ServiceEndpoint[]>,
): Collection<EndpointlessService> {
  const indexes = [
    byLabels(derive(sources.Pod, podCandidate, { name: 'catalog.candidates.Pod' }), 'catalog.candidates.Pod.by-label'),
    ...CONTROLLERS.map((kind) => {
      const all = sources[kind] as Collection<KindOf<(typeof CONTROLLERS)[number]>>
      return byLabels(
        derive(all, templateCandidate, { name: `catalog.candidates.${kind}` }),
        `catalog.candidates.${kind}.by-label`,
      )
    }),
  ]
  return derive(services, (service, read) => endpointless(service, read, endpoints, indexes), { name: 'catalog.endpointless' })
}

function endpointless(
  service: MeshService,
  read: Read,
  endpoints: Collection<readonly ServiceEndpoint[]>,
  indexes: readonly Index<Candidate>[],
): EndpointlessService | undefined {
  const { selector, resolution, namespace, ports, source } = service
  if (service.registry !== 'Kubernetes' || selector === undefined || resolution !== 'ClientSideLB') return undefined
  if (ports.some(({ name }) => (read.get(endpoints, endpointsKey(service, name)) ?? []).length > 0)) return undefined
  const found = indexes.flatMap((index) => selectedBy(selector, namespace, read, index))
  if (found.length === 0) return undefined
  return { service: source, selected: found.map(({ key }) => key), addressed: found.some(({ addressed }) => addressed) }
}

function podCandidate(pod: KindOf<'Pod'>): Candidate {
  const { namespace, labels } = pod.metadata
  return { key: keyOf(pod), namespace, labels, addressed: pod.status?.podIP !== undefined }
}

function templateCandidate(controller: KindOf<(typeof CONTROLLERS)[number]>): Candidate {
  const { metadata, spec } = controller
  const labels = spec.template?.metadata?.labels ?? {}
  return { key: keyOf(controller), namespace: metadata.namespace, labels, addressed: false }
}
