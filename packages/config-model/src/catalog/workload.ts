import type { Node } from '../kinds/kubernetes/node.js'
import type { Pod } from '../kinds/kubernetes/pod.js'
import type { WorkloadEntry, WorkloadEntrySpec } from '../kinds/workload-entry.js'
import { LABELS } from '../names/labels.js'
import { keyOf, type ResourceKey } from '../resource.js'
import type { ServiceEndpoint } from './service.js'

/** A pod or WorkloadEntry as endpoints see it: all of a {@link ServiceEndpoint} but the port. */
export interface Workload extends Omit<ServiceEndpoint, 'port' | 'portName'> {
  /** Port numbers by name. */
  readonly ports: Readonly<Record<string, number>>
}

/** Where workloads are that do not say it themselves. */
export interface Place {
  readonly cluster: string
  networkOf(address: string): string
}

/** A WorkloadEntry; undefined when its health status says that it is not healthy. */
export function fromWorkloadEntry(entry: WorkloadEntry, place: Place): Workload | undefined {
  if (isUnhealthy(entry)) return undefined
  const { metadata, spec } = entry
  // Labels of the object win over those of the spec.
  const labels = { ...spec.labels, ...metadata.labels }
  return fromWorkloadSpec(
    { ...spec, labels },
    { name: metadata.name, namespace: metadata.namespace, source: keyOf(entry) },
    place,
  )
}

/** The inline endpoint of a ServiceEntry, or the spec of a WorkloadEntry. */
export function fromWorkloadSpec(
  spec: WorkloadEntrySpec,
  owner: { name: string; namespace: string; source: ResourceKey },
  place: Place,
): Workload {
  const labels = spec.labels ?? {}
  return {
    address: spec.address,
    ports: spec.ports ?? {},
    labels,
    serviceAccount: spec.serviceAccount ?? '',
    namespace: owner.namespace,
    workloadName: owner.name,
    tlsMode: tlsModeOf(labels, (spec.serviceAccount ?? '') !== ''),
    ...hboneOf(labels, {}),
    network: spec.network ?? labels[LABELS.network] ?? place.networkOf(spec.address),
    cluster: labels[LABELS.cluster] ?? place.cluster,
    locality: spec.locality ?? localityLabel(labels),
    weight: spec.weight === undefined || spec.weight === 0 ? 1 : spec.weight,
    health: 'HEALTHY',
    healthKnown: false,
    source: owner.source,
  }
}

/** A pod with an address; readiness is for the caller to judge. */
export function fromPod(pod: Pod, node: Node | undefined, place: Place): Workload | undefined {
  const { metadata, spec } = pod
  const address = pod.status?.podIP ?? pod.status?.podIPs?.[0]?.ip
  if (address === undefined || address === '' || ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')) return undefined
  const all = (pod.status?.podIPs ?? []).map(({ ip }) => ip).filter((ip) => ip !== '')
  const ports: Record<string, number> = {}
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    for (const port of container.ports ?? []) if (port.name !== undefined) ports[port.name] = port.containerPort
  }
  return {
    address,
    ...(all.length > 1 ? { podAddresses: all } : {}),
    ports,
    labels: metadata.labels,
    serviceAccount: spec.serviceAccountName ?? 'default',
    namespace: metadata.namespace,
    workloadName: workloadNameOf(metadata.name, metadata.labels),
    tlsMode: tlsModeOf(metadata.labels, false),
    ...hboneOf(metadata.labels, metadata.annotations),
    network: metadata.labels[LABELS.network] ?? place.networkOf(address),
    cluster: metadata.annotations[LABELS.cluster] ?? place.cluster,
    locality: localityLabel(metadata.labels) || localityOfNode(node),
    ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    weight: 1,
    health: 'HEALTHY',
    healthKnown: true,
    source: keyOf(pod),
  }
}

function isUnhealthy(entry: WorkloadEntry): boolean {
  const { conditions } = (entry.status ?? {}) as { conditions?: unknown }
  if (!Array.isArray(conditions)) return false
  return conditions.some(
    (condition: { type?: unknown; status?: unknown }) => condition?.type === 'Healthy' && condition.status !== 'True',
  )
}

type Texts = Readonly<Record<string, string>>

/** An L4 proxy of its node stands in front of it, it is a waypoint, or it says so itself. */
function hboneOf(labels: Texts, annotations: Texts): { readonly hbone?: true } {
  const redirected = annotations[LABELS.ambientRedirection] === 'enabled'
  const waypoint = labels[LABELS.managedGateway] === 'istio.io-mesh-controller'
  return redirected || waypoint || labels[LABELS.tunnel] === 'http' ? { hbone: true } : {}
}

function tlsModeOf(labels: Readonly<Record<string, string>>, byDefault: boolean): 'istio' | 'disabled' {
  const label = labels[LABELS.tlsMode]
  return (label === undefined ? byDefault : label === 'istio') ? 'istio' : 'disabled'
}

// `region.zone.subzone`, because a label may not hold a slash; a slash wins for values from elsewhere.
function localityLabel(labels: Readonly<Record<string, string>>): string {
  const label = labels[LABELS.locality] ?? ''
  return label.includes('/') ? label : label.replaceAll('.', '/')
}

function localityOfNode(node: Node | undefined): string {
  const labels = node?.metadata.labels ?? {}
  const region = labels[LABELS.region] ?? labels[LABELS.oldRegion] ?? ''
  const zone = labels[LABELS.zone] ?? labels[LABELS.oldZone] ?? ''
  const subzone = labels[LABELS.subzone] ?? ''
  return [region, zone, subzone].join('/').replace(/\/+$/, '')
}

// The Deployment of `productpage-v1-5f7b6c9d4-x2k8q`: what generated names have behind it is the template hash and five letters.
function workloadNameOf(podName: string, labels: Readonly<Record<string, string>>): string {
  const hash = labels['pod-template-hash']
  if (hash !== undefined) {
    const at = podName.lastIndexOf(`-${hash}`)
    if (at > 0) return podName.slice(0, at)
  }
  return podName
}
