import type { EndpointSlice } from '../kinds/kubernetes/endpoint-slice.js'
import type { Endpoints } from '../kinds/kubernetes/endpoints.js'
import type { ServiceEntry } from '../kinds/service-entry.js'
import { keyOf, type ResourceKey } from '../resource.js'
import type { MeshService, ServiceEndpoint, ServicePort } from './service.js'
import type { Place, Workload } from './workload.js'

type ByPort = ReadonlyMap<string, ServiceEndpoint[]>

/** Empty lists for the ports of a service. */
export function emptyPorts(service: MeshService): ByPort {
  return new Map(service.ports.map(({ name }) => [name, []]))
}

/**
 * A workload behind a Kubernetes Service. The name of the target port, or of the service port when the target is a number, is looked
 * up in the workload's ports; a target name that it has not leaves it out.
 */
export function addToKubernetesService(byPort: ByPort, service: MeshService, workload: Workload): void {
  for (const port of service.ports) {
    if (port.protocol === 'UDP') continue
    const number = kubernetesTarget(port, workload)
    if (number !== undefined) byPort.get(port.name)?.push(at(workload, port.name, number))
  }
}

function kubernetesTarget({ name, targetPort }: ServicePort, { ports }: Workload): number | undefined {
  const mapped = ports[typeof targetPort === 'string' ? targetPort : name]
  if (mapped !== undefined && mapped !== 0) return mapped
  return typeof targetPort === 'string' ? undefined : targetPort
}

/** A pod behind a Kubernetes Service, as Kubernetes' endpoint controller would write it: a port by its name in the pod's containers, or by its number. */
export function addPod(byPort: ByPort, service: MeshService, pod: Workload, publishNotReady: boolean): void {
  const health = publishNotReady ? 'HEALTHY' : pod.health
  for (const { name, targetPort } of service.ports) {
    const number = typeof targetPort === 'number' ? targetPort : pod.ports[targetPort]
    if (number !== undefined) byPort.get(name)?.push({ ...at(pod, name, number), health })
  }
}

/** A workload or inline endpoint behind `ports` of a ServiceEntry: its own port of that name, else the target port. A Unix socket has port 0. */
export function addToServiceEntry(byPort: ByPort, ports: readonly ServicePort[], workload: Workload): void {
  const unix = workload.address.startsWith('unix://')
  for (const port of ports) {
    const own = workload.ports[port.name]
    const number = unix ? 0 : own !== undefined && own !== 0 ? own : Number(port.targetPort)
    byPort.get(port.name)?.push(at(workload, port.name, number))
  }
}

function at({ ports: _, ...workload }: Workload, portName: string, port: number): ServiceEndpoint {
  return { ...workload, port, portName }
}

/** What is known of an address of an EndpointSlice. */
export type FindPod = (
  address: string,
  target: { kind?: string; namespace?: string; name?: string } | undefined,
) => Workload | undefined

/** The addresses of an EndpointSlice. Ports go by name. */
export function addSlice(byPort: ByPort, slice: EndpointSlice, findPod: FindPod, place: Place, publishNotReady: boolean): void {
  const { spec } = slice
  if (spec.addressType === 'FQDN') return
  for (const endpoint of spec.endpoints ?? []) {
    // Istio takes "not ready" without a word about its end for one that ends.
    const { ready, terminating } = endpoint.conditions ?? {}
    const health = publishNotReady || ready !== false ? 'HEALTHY' : terminating === false ? 'UNHEALTHY' : 'DRAINING'
    for (const address of endpoint.addresses) {
      const workload = findPod(address, endpoint.targetRef) ?? stranger(address, endpoint.hostname ?? '', keyOf(slice), place)
      for (const port of spec.ports ?? []) {
        if (port.port === undefined) continue
        byPort.get(port.name ?? '')?.push({ ...at(workload, port.name ?? '', port.port), address, health, healthKnown: true })
      }
    }
  }
}

/** The addresses of an Endpoints object. */
export function addEndpoints(byPort: ByPort, endpoints: Endpoints, findPod: FindPod, place: Place): void {
  for (const subset of endpoints.spec.subsets ?? []) {
    const groups = [
      ['HEALTHY', subset.addresses],
      ['UNHEALTHY', subset.notReadyAddresses],
    ] as const
    for (const [health, addresses] of groups) {
      for (const { ip, targetRef } of addresses ?? []) {
        const workload = findPod(ip, targetRef) ?? stranger(ip, '', keyOf(endpoints), place)
        for (const port of subset.ports ?? []) {
          if (port.port === undefined) continue
          byPort
            .get(port.name ?? '')
            ?.push({ ...at(workload, port.name ?? '', port.port), address: ip, health, healthKnown: true })
        }
      }
    }
  }
}

// An address that no pod has: a mesh cannot know more of it, its namespace neither.
function stranger(address: string, workloadName: string, source: ResourceKey, place: Place): Workload {
  return {
    address,
    ports: {},
    labels: {},
    serviceAccount: '',
    namespace: '',
    workloadName,
    tlsMode: 'disabled',
    network: place.networkOf(address),
    cluster: place.cluster,
    locality: '',
    weight: 1,
    health: 'HEALTHY',
    healthKnown: true,
    source,
  }
}

/** A DNS service without endpoints is its own endpoint behind `ports`, a workload by the name of its ServiceEntry. */
export function addItself(
  byPort: ByPort,
  service: MeshService,
  ports: readonly ServicePort[],
  entry: ServiceEntry,
  place: Place,
): void {
  const itself = { ...stranger(service.hostname, entry.metadata.name, keyOf(entry), place), namespace: service.namespace }
  for (const port of ports) {
    byPort.get(port.name)?.push({ ...at(itself, port.name, Number(port.targetPort)), healthKnown: false })
  }
}
