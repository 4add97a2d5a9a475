import type { Container, PodSpec } from '../kinds/kubernetes/pod.js'
import type { PodTemplate } from '../kinds/kubernetes/workload.js'
import { groupBy } from './group-by.js'
import { createLabelIndex, type LabelIndex } from './label-index.js'
import { type ConfigObject, fullName } from './object.js'

/** A pod, or what makes pods: in a folder of YAML there is often only the Deployment. */
export interface Workload {
  readonly object: ConfigObject
  readonly namespace: string
  /** `namespace/name`. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: PodSpec
  readonly isPod: boolean
}

export interface Workloads extends LabelIndex<Workload> {
  /** Those of a namespace. */
  in(namespace: string): LabelIndex<Workload>
}

const NONE: LabelIndex<Workload> = createLabelIndex<Workload>([], () => ({}))

/** Pods, and the templates of which no pod is there. */
export function createWorkloads(pods: readonly ConfigObject<PodSpec>[], owners: readonly ConfigObject[]): Workloads {
  const real = pods.map(podWorkload)
  const realIn = indexByNamespace(real)
  const promised = owners.flatMap((owner) => {
    const workload = templateWorkload(owner)
    const there = workload === undefined || (realIn.get(workload.namespace) ?? NONE).select(workload.labels).length > 0
    return there ? [] : [workload]
  })
  const all = [...real, ...promised]
  const byNamespace = indexByNamespace(all)
  return { ...createLabelIndex(all, ({ labels }) => labels), in: (namespace) => byNamespace.get(namespace) ?? NONE }
}

function podWorkload(object: ConfigObject<PodSpec>): Workload {
  const { labels, annotations, namespace } = object.metadata
  return { object, namespace, name: fullName(object), labels, annotations, spec: object.spec, isPod: true }
}

/** The pods that a Deployment or its like makes; undefined: it says none. */
export function templateWorkload(object: ConfigObject): Workload | undefined {
  const template = (object.spec as { template?: PodTemplate }).template
  if (template?.metadata?.labels === undefined) return undefined
  const { labels, annotations = {} } = template.metadata
  const { namespace } = object.metadata
  return { object, namespace, name: fullName(object), labels, annotations, spec: template.spec ?? {}, isPod: false }
}

function indexByNamespace(workloads: readonly Workload[]): Map<string, LabelIndex<Workload>> {
  const lists = groupBy(workloads, ({ namespace }) => namespace)
  return new Map([...lists].map(([namespace, list]) => [namespace, createLabelIndex(list, ({ labels }) => labels)]))
}

/** Containers of a pod, those of native sidecars included. */
export function containersOf({ containers = [], initContainers = [] }: PodSpec): readonly Container[] {
  return [...containers, ...initContainers]
}

export const PROXY_CONTAINER = 'istio-proxy'
