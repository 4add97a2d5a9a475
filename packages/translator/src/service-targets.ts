import {
  type MeshService,
  type MeshSnapshot,
  type Pod,
  type ServiceEndpoint,
  type ServicePort,
  selects,
} from '@heddle/config-model'
import type { Memo } from './memo.js'
import type { ProxyDescriptor } from './proxy.js'
import { isEmpty } from './selection.js'
import { sortedByAge } from './visible-services.js'

/** A service port that a proxy's own workload serves, and the port that the workload listens on. */
export interface ServiceTarget {
  readonly service: MeshService
  readonly port: ServicePort
  readonly targetPort: number
  /** Where the workload is, as the endpoint says; '' when nothing does. */
  readonly locality: string
}

interface Candidate {
  readonly target: ServiceTarget
  readonly labels: Readonly<Record<string, string>>
}

/**
 * The services that a proxy stands in front of, the oldest first: those with an endpoint at the proxy's address whose labels are the proxy's,
 * and those that select its pod, ready or not. Workloads that share one address (many processes on 127.0.0.1) are told apart by their labels:
 * of several label sets that fit, the equal one.
 */
export function serviceTargets(snapshot: MeshSnapshot, proxy: ProxyDescriptor, common: Memo): readonly ServiceTarget[] {
  const served = groupByService(endpointCandidates(snapshot, proxy, common))
  const pod = podOf(snapshot, proxy, common) ?? (served.size === 0 ? unseenPod(proxy) : undefined)
  const selecting = pod === undefined ? [] : servicesSelecting(snapshot, pod, common)
  const found = sortedByAge(new Set([...served.keys(), ...selecting])).flatMap((service) => {
    const own = served.get(service) ?? []
    const selected = pod === undefined ? [] : podCandidates(service, pod, own[0]?.target.locality ?? '')
    return selected.length > 0 ? selected : own
  })
  const labelled = found.filter(({ labels }) => !isEmpty(labels))
  const shared = new Set(labelled.map(({ labels }) => keyOf(labels))).size > 1
  const own = keyOf(proxy.labels)
  const tell = shared && labelled.some(({ labels }) => keyOf(labels) === own)
  return (tell ? found.filter(({ labels }) => isEmpty(labels) || keyOf(labels) === own) : found).map(({ target }) => target)
}

/** A proxy may connect before its pod is heard of; what it says of itself will do. */
function unseenPod({ type, namespace, labels, id }: ProxyDescriptor): Pod | undefined {
  if (type === 'waypoint' || isEmpty(labels)) return undefined
  return { kind: 'Pod', metadata: { name: id, namespace, labels, annotations: {} }, spec: {} }
}

interface Placed {
  readonly service: MeshService
  readonly port: ServicePort
  readonly endpoint: ServiceEndpoint
}

function endpointCandidates(snapshot: MeshSnapshot, proxy: ProxyDescriptor, common: Memo): Candidate[] {
  const placed = common.table('endpoints by address', [], () => endpointsByAddress(snapshot, common))
  return [...new Set(proxy.addresses)]
    .flatMap((address) => placed(address) ?? [])
    .filter(({ service, endpoint: e }) => (e.namespace || service.namespace) === proxy.namespace && agree(e.labels, proxy.labels))
    .map(({ service, port, endpoint: e }) => ({
      target: { service, port, targetPort: e.port, locality: e.locality },
      labels: e.labels,
    }))
}

function endpointsByAddress(snapshot: MeshSnapshot, common: Memo): ReadonlyMap<string, readonly Placed[]> {
  const found = new Map<string, Placed[]>()
  for (const service of snapshot.services) {
    for (const placed of common.of('endpoints of service', [service], () => endpointsOf(snapshot, service))) {
      const known = found.get(placed.endpoint.address)
      if (known === undefined) found.set(placed.endpoint.address, [placed])
      else known.push(placed)
    }
  }
  return found
}

function endpointsOf(snapshot: MeshSnapshot, service: MeshService): readonly Placed[] {
  return service.ports.flatMap((port) => snapshot.endpoints(service, port.name).map((endpoint) => ({ service, port, endpoint })))
}

function groupByService(candidates: readonly Candidate[]): ReadonlyMap<MeshService, readonly Candidate[]> {
  const found = new Map<MeshService, Candidate[]>()
  for (const candidate of candidates) {
    const known = found.get(candidate.target.service)
    if (known === undefined) found.set(candidate.target.service, [candidate])
    else known.push(candidate)
  }
  return found
}

/** One may know more labels than the other: istiod adds some to a WorkloadEntry's, an agent to a node's. */
function agree(endpoint: Labels, proxy: Labels): boolean {
  const { [TLS_MODE]: _, ...own } = endpoint
  return selects(own, proxy) || (!isEmpty(proxy) && selects(proxy, own))
}

type Labels = Readonly<Record<string, string>>

/** Says what the endpoint takes, not which workload it is. */
const TLS_MODE = 'security.istio.io/tlsMode'

function podOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor, common: Memo): Pod | undefined {
  const pods = common.table('pods by address', [], () => podsByAddress(snapshot))
  return proxy.addresses.flatMap((address) => pods(address) ?? []).find((p) => p.metadata.namespace === proxy.namespace)
}

function podsByAddress(snapshot: MeshSnapshot): ReadonlyMap<string, readonly Pod[]> {
  const found = new Map<string, Pod[]>()
  for (const pod of snapshot.list('Pod')) {
    const address = pod.status?.podIP ?? ''
    const known = found.get(address)
    if (known === undefined) found.set(address, [pod])
    else known.push(pod)
  }
  return found
}

/** Services that may select the pod: those of its namespace with a selector. */
function servicesSelecting(snapshot: MeshSnapshot, pod: Pod, common: Memo): readonly MeshService[] {
  const selecting = common.table('selecting services by namespace', [], () => {
    const found = new Map<string, MeshService[]>()
    for (const service of snapshot.services) {
      if (service.registry !== 'Kubernetes' || isEmpty(service.selector)) continue
      const known = found.get(service.namespace)
      if (known === undefined) found.set(service.namespace, [service])
      else known.push(service)
    }
    return found
  })
  return (selecting(pod.metadata.namespace) ?? []).filter(({ selector }) => selects(selector, pod.metadata.labels))
}

/** What the Service says of its pods, ready or not. */
function podCandidates(service: MeshService, pod: Pod, locality: string): Candidate[] {
  const { namespace, labels } = pod.metadata
  if (
    service.registry !== 'Kubernetes' ||
    service.namespace !== namespace ||
    isEmpty(service.selector) ||
    !selects(service.selector, labels)
  )
    return []
  return service.ports.flatMap((port) => {
    const targetPort = typeof port.targetPort === 'number' ? port.targetPort : containerPort(pod, port.targetPort)
    return targetPort === undefined ? [] : [{ target: { service, port, targetPort, locality }, labels }]
  })
}

function containerPort(pod: Pod, name: string): number | undefined {
  return (pod.spec.containers ?? []).flatMap((c) => c.ports ?? []).find((p) => p.name === name)?.containerPort
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
