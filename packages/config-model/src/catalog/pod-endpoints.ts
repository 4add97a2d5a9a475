import { type Collection, derive, type Index, index, type Read } from '@heddle/runtime'
import type { KindOf } from '../kinds/index.js'
import { LABELS } from '../names/labels.js'
import { nameKey } from '../resource.js'
import type { MeshService } from './service.js'
import type { KindCollections } from './sources.js'
import type { Workload } from './workload.js'
import { byLabels, selectedBy, type Workloads } from './workloads.js'

/** The pods behind a Service where no endpoint controller runs: in a folder that somebody wrote. */
export interface PodEndpoints {
  /**
   * Whether somebody speaks of endpoints: one EndpointSlice or Endpoints of a Service with a selector speaks for all. Those of Services without
   * one are written by hand in clusters, too, and say nothing about pods.
   */
  areWritten(read: Read): boolean
  /** Pods with an address, with their health. A pod is ready unless it says that it is not. */
  of(service: MeshService, read: Read): readonly Workload[]
}

export function createPodEndpoints(sources: KindCollections, { pods }: Workloads): PodEndpoints {
  const slices = anySelecting(sources.EndpointSlice, sources, serviceOfSlice)
  const legacy = anySelecting(sources.Endpoints, sources, (endpoints) => nameKey(endpoints.metadata))
  const judged: Collection<Workload> = derive(
    pods,
    (pod, read, key): Workload => ({ ...pod, health: saysUnready(read.get(sources.Pod, key)) ? 'UNHEALTHY' : 'HEALTHY' }),
    { name: 'catalog.pods.judged' },
  )
  const byLabel: Index<Workload> = byLabels(judged, 'catalog.pods.judged.by-label')
  return {
    areWritten: (read) => read.get(slices, '') === true || read.get(legacy, '') === true,
    of: (service, read) => selectedBy(service.selector ?? {}, service.namespace, read, byLabel),
  }
}

/** `namespace/name` of the Service that a slice belongs to. */
export function serviceOfSlice({ metadata }: KindOf<'EndpointSlice'>): string {
  return `${metadata.namespace}/${metadata.labels[LABELS.sliceService] ?? ''}`
}

/** One value under the key '' while one of the objects belongs to a Service with a selector. What else they say rebuilds nothing. */
function anySelecting<T>(
  objects: Collection<T>,
  { Service }: KindCollections,
  serviceOf: (object: T) => string,
): Collection<true> {
  const selecting = derive(
    objects,
    (object, read) => (Object.keys(read.get(Service, serviceOf(object))?.spec.selector ?? {}).length > 0 ? true : undefined),
    { name: `${objects.name}.selecting` },
  )
  const all = index<true>(selecting, () => '', { name: `${objects.name}.selecting.all` })
  return derive(all, () => true as const, { name: `${objects.name}.selecting.any` })
}

function saysUnready(pod: KindOf<'Pod'> | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status !== 'True') === true
}
