import { type Collection, derive, type Index, index, type Read } from '@heddle/runtime'
import type { KindOf } from '../kinds/index.js'
import { selects } from '../names/labels.js'
import { clusterOf, inCluster } from '../resource.js'
import type { Placing } from './networks.js'
import type { KindCollections } from './sources.js'
import { fromPod, fromWorkloadEntry, type Workload } from './workload.js'

/** What runs, found by its name, its address and its labels. */
export interface Workloads {
  /** By the keys of the pods; ready or not. */
  readonly pods: Collection<Workload>
  podsAt(read: Read, address: string): readonly Workload[]
  /** WorkloadEntries of a namespace that a selector takes. */
  selectedEntries(read: Read, namespace: string, selector: Readonly<Record<string, string>>): readonly Workload[]
  /** Ready pods of a namespace that a selector takes. */
  selectedPods(read: Read, namespace: string, selector: Readonly<Record<string, string>>): readonly Workload[]
}

export function createWorkloads(sources: KindCollections, { placeIn }: Placing): Workloads {
  const entries = derive(sources.WorkloadEntry, (entry, read) => fromWorkloadEntry(entry, placeIn(read)), {
    name: 'catalog.workload-entries',
  })
  const pods = derive(
    sources.Pod,
    (pod, read) => {
      const { nodeName } = pod.spec
      const cluster = clusterOf(pod.metadata)
      const node = nodeName === undefined ? undefined : read.get(sources.Node, inCluster(`/${nodeName}`, cluster))
      return fromPod(pod, node, placeIn(read, cluster))
    },
    { name: 'catalog.pods' },
  )
  const readyPods = derive(pods, (pod, read, key) => (isReady(read.get(sources.Pod, key)) ? pod : undefined), {
    name: 'catalog.pods.ready',
  })
  const entriesByLabel = byLabels(entries, 'catalog.workload-entries.by-label')
  const podsByLabel = byLabels(readyPods, 'catalog.pods.by-label')
  const podsByAddress = index(pods, ({ address }) => address, { name: 'catalog.pods.by-address' })
  return {
    pods,
    podsAt: (read, address) => read.list(podsByAddress, address),
    selectedEntries: (read, namespace, selector) => selectedBy(selector, namespace, read, entriesByLabel),
    selectedPods: (read, namespace, selector) => selectedBy(selector, namespace, read, podsByLabel),
  }
}

/** What can be selected: it has labels, in a namespace. */
interface Labelled {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

/** By each label, for {@link selectedBy}. */
export function byLabels<T extends Labelled>(all: Collection<T>, name: string): Index<T> {
  return index(all, ({ namespace, labels }) => Object.entries(labels).map(([key, value]) => labelKey(namespace, key, value)), {
    name,
  })
}

/** One label of the selector finds the candidates, so that a service looks only at what is like its own. An empty selector takes nothing. */
export function selectedBy<T extends Labelled>(
  selector: Readonly<Record<string, string>>,
  namespace: string,
  read: Read,
  byLabel: Index<T>,
): readonly T[] {
  const [key] = Object.keys(selector).sort()
  if (key === undefined) return []
  return read.list(byLabel, labelKey(namespace, key, selector[key] ?? '')).filter(({ labels }) => selects(selector, labels))
}

function labelKey(namespace: string, key: string, value: string): string {
  return `${namespace} ${key}=${value}`
}

function isReady(pod: KindOf<'Pod'> | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
