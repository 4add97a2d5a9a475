import { type Collection, derive } from '@heddle/runtime'
import type { Namespace } from '../kinds/kubernetes/namespace.js'
import { LABELS } from '../names/labels.js'
import type { MeshService } from './service.js'

type Annotations = Readonly<Record<string, string>>

const DISTRIBUTIONS: Readonly<Record<string, MeshService['trafficDistribution']>> = {
  preferclose: 'PreferSameZone',
  prefersamezone: 'PreferSameZone',
  prefersamenode: 'PreferSameNode',
}

/** What the annotation of each namespace says, by the namespace's key; nothing else of a namespace makes a service anew. */
export function namespaceDistributions(namespaces: Collection<Namespace>): Collection<string> {
  return derive(namespaces, ({ metadata }) => metadata.annotations[LABELS.trafficDistribution], {
    name: 'catalog.namespaces.traffic-distribution',
  })
}

/** The field of a Service, else its annotation, or a ServiceEntry's, else that of the namespace. An annotation that says something else means: any. */
export function distributionOf(
  said: string | undefined,
  own: Annotations,
  ofNamespace: string | undefined,
): Pick<MeshService, 'trafficDistribution'> {
  const annotated = own[LABELS.trafficDistribution] || ofNamespace || ''
  const trafficDistribution = DISTRIBUTIONS[(said ?? '').toLowerCase()] ?? DISTRIBUTIONS[annotated.toLowerCase()]
  return trafficDistribution === undefined ? {} : { trafficDistribution }
}
