import { type MeshService, type MeshSnapshot, type Pod, type ServicePort, selects } from '@heddle/config-model'
import type { ProxyDescriptor } from './proxy.js'
import { isEmpty } from './selection.js'
import { byAge } from './view.js'

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
export function serviceTargets(snapshot: MeshSnapshot, proxy: ProxyDescriptor): readonly ServiceTarget[] {
  const pod = podOf(snapshot, proxy)
  const found = byAge(snapshot.services).flatMap((service) => {
    const served = endpointCandidates(snapshot, service, proxy)
    const selected = pod === undefined ? [] : podCandidates(service, pod, served[0]?.target.locality ?? '')
    return selected.length > 0 ? selected : served
  })
  const labelled = found.filter(({ labels }) => !isEmpty(labels))
  const shared = new Set(labelled.map(({ labels }) => keyOf(labels))).size > 1
  const own = keyOf(proxy.labels)
  const tell = shared && labelled.some(({ labels }) => keyOf(labels) === own)
  return (tell ? found.filter(({ labels }) => isEmpty(labels) || keyOf(labels) === own) : found).map(({ target }) => target)
}

function endpointCandidates(snapshot: MeshSnapshot, service: MeshService, proxy: ProxyDescriptor): Candidate[] {
  return service.ports.flatMap((port) =>
    snapshot
      .endpoints(service, port.name)
      .filter(
        (e) =>
          proxy.addresses.includes(e.address) &&
          (e.namespace || service.namespace) === proxy.namespace &&
          agree(e.labels, proxy.labels),
      )
      .map((e) => ({ target: { service, port, targetPort: e.port, locality: e.locality }, labels: e.labels })),
  )
}

/** One may know more labels than the other: istiod adds some to a WorkloadEntry's, an agent to a node's. */
function agree(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  return selects(one, other) || (!isEmpty(other) && selects(other, one))
}

function podOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor): Pod | undefined {
  return snapshot
    .list('Pod')
    .find((p) => p.metadata.namespace === proxy.namespace && proxy.addresses.includes(p.status?.podIP ?? ''))
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
