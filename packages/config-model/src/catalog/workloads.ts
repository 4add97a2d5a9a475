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
  const entriesByLabel = index(entries, labelKeys, { name: 'catalog.workload-entries.by-label' })
  const podsByLabel = index(readyPods, labelKeys, { name: 'catalog.pods.by-label' })
  const podsByAddress = index(pods, ({ address }) => address, { name: 'catalog.pods.by-address' })
  return {
    pods,
    podsAt: (read, address) => read.list(podsByAddress, address),
    selectedEntries: (read, namespace, selector) => selected(namespace, selector, read, entriesByLabel),
    selectedPods: (read, namespace, selector) => selected(namespace, selector, read, podsByLabel),
  }
}

// One label of the selector finds the candidates, so that a service looks only at workloads like its own.
function selected(
  namespace: string,
  selector: Readonly<Record<string, string>>,
  read: Read,
  byLabel: Index<Workload>,
): readonly Workload[] {
  const [key] = Object.keys(selector).sort()
  if (key === undefined) return []
  return read.list(byLabel, labelKey(namespace, key, selector[key] ?? '')).filter(({ labels }) => selects(selector, labels))
}

function labelKeys({ namespace, labels }: Workload): readonly string[] {
  return Object.entries(labels).map(([key, value]) => labelKey(namespace, key, value))
}

function labelKey(namespace: string, key: string, value: string): string {
  return `${namespace} ${key}=${value}`
}

function isReady(pod: KindOf<'Pod'> | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}
