import {
  type Collection,
  createSource,
  derive,
  deriveMany,
  type Graph,
  type Index,
  index,
  join,
  type Read,
  type Source,
} from '@heddle/runtime'
import type { KindName, KindOf } from '../kinds/index.js'
import type { MeshConfig } from '../kinds/mesh-config.js'
import { LABELS, selects } from '../names/labels.js'
import { clusterOf, inCluster, keyOf } from '../resource.js'
import { compareText } from '../sorted-list.js'
import {
  addEndpoints,
  addItself,
  addSlice,
  addToKubernetesService,
  addToServiceEntry,
  emptyPorts,
  type FindPod,
} from './endpoints.js'
import { fromKubernetesServices, namesAccounts } from './kubernetes-service.js'
import { createPlacing, type Placing } from './networks.js'
import type { MeshService, ServiceEndpoint } from './service.js'
import { fromServiceEntry } from './service-entry.js'
import { fromPod, fromWorkloadEntry, fromWorkloadSpec, type Workload, type WorkloadDefaults } from './workload.js'

/** The written kinds as collections, keyed `namespace/name`. */
export type KindSources = { readonly [K in KindName]: Source<KindOf<K>> }

export interface CatalogOptions extends WorkloadDefaults {
  graph: Graph
  sources: KindSources
  /** One value under the key ''. */
  meshConfig: Collection<MeshConfig>
  /** `cluster.local`. */
  domainSuffix: string
}

export interface Catalog {
  /** By `namespace/hostname`. A Kubernetes Service hides a ServiceEntry of its host in its namespace. */
  readonly services: Collection<MeshService>
  /** By `namespace/hostname/portName`; ports without endpoints are there, too. */
  readonly endpoints: Collection<readonly ServiceEndpoint[]>
}

export function serviceKey(service: MeshService): string {
  return `${service.namespace}/${service.hostname}`
}

export function endpointsKey(service: MeshService, portName: string): string {
  return `${service.namespace}/${service.hostname}/${portName}`
}

export function createCatalog(options: CatalogOptions): Catalog {
  const { sources } = options
  const byName = index(sources.Service, ({ metadata }) => `${metadata.namespace}/${metadata.name}`, {
    name: 'catalog.services.by-name',
  })
  const ofKubernetes = deriveMany(
    sources.Service,
    (service, read) => {
      const { namespace, name } = service.metadata
      const all = [...read.list(byName, `${namespace}/${name}`)].sort((a, b) => compareText(keyOf(a), keyOf(b)))
      if (all[0] !== service) return []
      // Reading the mesh config makes a service depend on it: only where it says accounts.
      const trustDomain = namesAccounts(service) ? (read.get(options.meshConfig, '')?.trustDomain ?? '') : ''
      const derived = fromKubernetesServices(all, { domainSuffix: options.domainSuffix, trustDomain }, options.cluster)
      return derived === undefined ? [] : [[serviceKey(derived), derived] as const]
    },
    { name: 'catalog.services.kubernetes' },
  )
  const ofEntries = deriveMany(
    sources.ServiceEntry,
    (entry) => fromServiceEntry(entry).map((service) => [serviceKey(service), service] as const),
    { name: 'catalog.services.service-entry' },
  )
  const services = join([ofKubernetes, ofEntries], { name: 'catalog.services' })
  return { services, endpoints: createEndpoints(services, options) }
}

interface Inputs {
  readonly options: CatalogOptions
  readonly defaultsIn: Placing['defaultsIn']
  readonly slices: Index<KindOf<'EndpointSlice'>>
  readonly workloadEntries: Index<Workload>
  readonly pods: Collection<Workload>
  readonly podsByLabel: Index<Workload>
  readonly podsByAddress: Index<Workload>
}

function createEndpoints(services: Collection<MeshService>, options: CatalogOptions): Collection<readonly ServiceEndpoint[]> {
  const { sources } = options
  const { defaultsIn } = createPlacing({ ...options, namespaces: sources.Namespace, configMaps: sources.ConfigMap })
  const entries = derive(sources.WorkloadEntry, (entry, read) => fromWorkloadEntry(entry, defaultsIn(read)), {
    name: 'catalog.workload-entries',
  })
  const pods = derive(
    sources.Pod,
    (pod, read) => {
      const { nodeName } = pod.spec
      const cluster = clusterOf(pod.metadata)
      const node = nodeName === undefined ? undefined : read.get(sources.Node, inCluster(`/${nodeName}`, cluster))
      return fromPod(pod, node, defaultsIn(read, cluster))
    },
    { name: 'catalog.pods' },
  )
  const readyPods = derive(pods, (pod, read, key) => (isReady(read.get(sources.Pod, key)) ? pod : undefined), {
    name: 'catalog.pods.ready',
  })
  const inputs: Inputs = {
    options,
    defaultsIn,
    slices: index(
      sources.EndpointSlice,
      ({ metadata }) => `${metadata.namespace}/${metadata.labels[LABELS.sliceService] ?? ''}`,
      {
        name: 'catalog.slices.by-service',
      },
    ),
    workloadEntries: index(entries, labelKeys, { name: 'catalog.workload-entries.by-label' }),
    pods,
    podsByLabel: index(readyPods, labelKeys, { name: 'catalog.pods.by-label' }),
    podsByAddress: index(pods, ({ address }) => address, { name: 'catalog.pods.by-address' }),
  }
  return deriveMany(services, (service, read) => endpointsOf(service, read, inputs), { name: 'catalog.endpoints' })
}

function endpointsOf(service: MeshService, read: Read, inputs: Inputs): Iterable<readonly [string, readonly ServiceEndpoint[]]> {
  const byPort = emptyPorts(service)
  if (service.registry === 'Kubernetes') kubernetesEndpoints(byPort, service, read, inputs)
  else entryEndpoints(byPort, service, read, inputs)
  return [...byPort].map(([portName, endpoints]) => [endpointsKey(service, portName), endpoints] as const)
}

function kubernetesEndpoints(byPort: ReturnType<typeof emptyPorts>, service: MeshService, read: Read, inputs: Inputs): void {
  const { options, slices, workloadEntries, pods, podsByAddress } = inputs
  const findPod =
    (cluster: string | undefined): FindPod =>
    (address, target) => {
      const name = inCluster(`${target?.namespace ?? service.namespace}/${target?.name}`, cluster)
      const found = target?.kind === 'Pod' ? read.get(pods, name) : undefined
      if (found !== undefined) return found
      const there = read.list(podsByAddress, address)
      return there.find((pod) => pod.cluster === (cluster ?? options.cluster)) ?? there[0]
    }
  const ownSlices = read.list(slices, `${service.namespace}/${service.name}`)
  const written = read.get(options.sources.Service, service.source.slice('Service '.length))
  const publishNotReady = written?.spec.publishNotReadyAddresses === true
  for (const slice of ownSlices) {
    const cluster = clusterOf(slice.metadata)
    addSlice(byPort, slice, findPod(cluster), inputs.defaultsIn(read, cluster), publishNotReady)
  }
  // Kubernetes mirrors Endpoints into slices; only where nobody does, in a folder, are they read themselves.
  const legacy = ownSlices.length > 0 ? undefined : read.get(options.sources.Endpoints, `${service.namespace}/${service.name}`)
  if (legacy !== undefined) addEndpoints(byPort, legacy, findPod(undefined), inputs.defaultsIn(read))
  if (service.resolution !== 'ClientSideLB' || service.selector === undefined) return
  for (const workload of selected(service.namespace, service.selector, read, workloadEntries)) {
    addToKubernetesService(byPort, service, workload)
  }
}

function entryEndpoints(byPort: ReturnType<typeof emptyPorts>, service: MeshService, read: Read, inputs: Inputs): void {
  const { options, workloadEntries, podsByLabel } = inputs
  const entry = read.get(options.sources.ServiceEntry, service.source.slice('ServiceEntry '.length))
  if (entry === undefined) return
  const { endpoints, resolution } = entry.spec
  const defaults = inputs.defaultsIn(read)
  endpoints?.forEach((endpoint, i) => {
    const owner = { name: `${entry.metadata.name}-${i}`, namespace: entry.metadata.namespace, source: service.source }
    addToServiceEntry(byPort, service, fromWorkloadSpec(endpoint, owner, defaults))
  })
  if (service.selector !== undefined) {
    for (const workload of selected(service.namespace, service.selector, read, workloadEntries))
      addToServiceEntry(byPort, service, workload)
    for (const workload of selected(service.namespace, service.selector, read, podsByLabel)) {
      // A pod's ports have other names than a ServiceEntry's: only the target port counts.
      addToServiceEntry(byPort, service, { ...workload, ports: {} })
    }
  }
  const dns = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN'
  if (dns && (endpoints ?? []).length === 0 && service.selector === undefined)
    addItself(byPort, service, entry.metadata.name, defaults)
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

/** A source for each kind, in `graph`. */
export function createKindSources(graph: Graph, kinds: readonly KindName[]): KindSources {
  return Object.fromEntries(
    kinds.map((kind) => [kind, createSource({ graph, name: `config.${kind}` })]),
  ) as unknown as KindSources
}
