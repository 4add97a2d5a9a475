import { type Collection, deriveMany, type Index, index, type Read } from '@heddle/runtime'
import { oldestFirst } from '../age.js'
import type { KindOf } from '../kinds/index.js'
import type { ServiceEntry } from '../kinds/service-entry.js'
import { clusterOf, inCluster, keyOf } from '../resource.js'
import {
  addEndpoints,
  addItself,
  addPod,
  addSlice,
  addToKubernetesService,
  addToServiceEntry,
  emptyPorts,
  type FindPod,
} from './endpoints.js'
import { createPlacing, type Placing } from './networks.js'
import { createPodEndpoints, type PodEndpoints, serviceOfSlice } from './pod-endpoints.js'
import type { MeshService, ServiceEndpoint } from './service.js'
import { servicePort, workloadsOf } from './service-entry.js'
import { serviceKey } from './services.js'
import type { CatalogOptions } from './sources.js'
import { fromWorkloadSpec } from './workload.js'
import { createWorkloads, type Workloads } from './workloads.js'

interface Inputs {
  readonly options: CatalogOptions
  readonly placing: Placing
  readonly workloads: Workloads
  readonly slices: Index<KindOf<'EndpointSlice'>>
  /** undefined: pods are endpoints only when Kubernetes says so. */
  readonly podEndpoints: PodEndpoints | undefined
}

type ByPort = ReturnType<typeof emptyPorts>

export function endpointsKey(service: MeshService, portName: string): string {
  return `${serviceKey(service)}/${portName}`
}

export function createEndpoints(
  services: Collection<MeshService>,
  entriesByHost: Index<ServiceEntry>,
  options: CatalogOptions,
): Collection<readonly ServiceEndpoint[]> {
  const { sources } = options
  const placing = createPlacing({ ...options, namespaces: sources.Namespace, configMaps: sources.ConfigMap })
  const workloads = createWorkloads(sources, placing)
  const inputs: Inputs = {
    options,
    placing,
    workloads,
    podEndpoints: options.endpointsFromPods ? createPodEndpoints(sources, workloads) : undefined,
    slices: index(sources.EndpointSlice, serviceOfSlice, { name: 'catalog.slices.by-service' }),
  }
  return deriveMany(
    services,
    (service, read) => {
      const byPort = emptyPorts(service)
      if (service.registry === 'Kubernetes') kubernetesEndpoints(byPort, service, read, inputs)
      for (const entry of oldestFirst(read.list(entriesByHost, serviceKey(service)))) {
        // Behind a Kubernetes Service of the host stand the addresses that an entry knows, too; names would have to be resolved.
        if (service.registry === 'External' || entry.spec.resolution === 'STATIC')
          entryEndpoints(byPort, service, entry, read, inputs)
      }
      // Envoy takes one name to resolve round robin, and istiod gives it the first.
      const single = service.resolution === 'DNSRoundRobinLB'
      return [...byPort].map(
        ([portName, endpoints]) => [endpointsKey(service, portName), single ? endpoints.slice(0, 1) : endpoints] as const,
      )
    },
    { name: 'catalog.endpoints' },
  )
}

function kubernetesEndpoints(byPort: ByPort, service: MeshService, read: Read, inputs: Inputs): void {
  const { options, slices, workloads, placing } = inputs
  const ownSlices = read.list(slices, `${service.namespace}/${service.name}`)
  const written = read.get(options.sources.Service, service.source.slice('Service '.length))
  const publishNotReady = written?.spec.publishNotReadyAddresses === true
  for (const slice of ownSlices) {
    const cluster = clusterOf(slice.metadata)
    addSlice(byPort, slice, podFinder(service, cluster, read, inputs), placing.placeIn(read, cluster), publishNotReady)
  }
  // Kubernetes mirrors Endpoints into slices; only where nobody does, in a folder, are they read themselves.
  const legacy = ownSlices.length > 0 ? undefined : read.get(options.sources.Endpoints, `${service.namespace}/${service.name}`)
  if (legacy !== undefined) addEndpoints(byPort, legacy, podFinder(service, undefined, read, inputs), placing.placeIn(read))
  if (service.resolution !== 'Alias' && inputs.podEndpoints?.areWritten(read) === false)
    for (const pod of inputs.podEndpoints.of(service, read)) addPod(byPort, service, pod, publishNotReady)
  if (service.resolution !== 'ClientSideLB' || service.selector === undefined) return
  for (const workload of workloads.selectedEntries(read, service.namespace, service.selector))
    addToKubernetesService(byPort, service, workload)
}

function podFinder(service: MeshService, cluster: string | undefined, read: Read, { options, workloads }: Inputs): FindPod {
  return (address, target) => {
    const name = inCluster(`${target?.namespace ?? service.namespace}/${target?.name}`, cluster)
    const found = target?.kind === 'Pod' ? read.get(workloads.pods, name) : undefined
    if (found !== undefined) return found
    const there = workloads.podsAt(read, address)
    return there.find((pod) => pod.cluster === (cluster ?? options.cluster)) ?? there[0]
  }
}

function entryEndpoints(byPort: ByPort, service: MeshService, entry: ServiceEntry, read: Read, inputs: Inputs): void {
  const { workloads, placing } = inputs
  const { metadata, spec } = entry
  const { endpoints = [], resolution } = spec
  const ports = (spec.ports ?? []).map(servicePort)
  const place = placing.placeIn(read)
  const source = keyOf(entry)
  for (const [i, endpoint] of endpoints.entries()) {
    const owner = { name: `${metadata.name}-${i}`, namespace: metadata.namespace, source }
    addToServiceEntry(byPort, ports, fromWorkloadSpec(endpoint, owner, place))
  }
  const selector = workloadsOf(entry)
  if (selector !== undefined) {
    for (const workload of workloads.selectedEntries(read, service.namespace, selector))
      addToServiceEntry(byPort, ports, workload)
    for (const workload of workloads.selectedPods(read, service.namespace, selector)) {
      // A pod's ports have other names than a ServiceEntry's: only the target port counts.
      addToServiceEntry(byPort, ports, { ...workload, ports: {} })
    }
  }
  const dns = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN'
  if (dns && endpoints.length === 0 && selector === undefined) addItself(byPort, service, ports, entry, place)
}
