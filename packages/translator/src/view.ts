import {
  type Destination,
  type IstioEgressListener,
  type MeshService,
  type MeshSnapshot,
  parseProtocol,
  type ServicePort,
  type Sidecar,
  selects,
} from '@heddle/config-model'
import { hostSubsetOf, hostsOverlap, isWildcard, resolveHost } from './hosts.js'
import type { ProxyDescriptor } from './proxy.js'
import { isEmpty, visible } from './selection.js'
import { type BoundVirtualService, boundVirtualServices, destinationsOf, MESH_GATEWAY } from './virtual-services.js'

/** One egress listener of a Sidecar, or the catch-all that stands for no Sidecar. */
export interface EgressListener {
  /** undefined: the catch-all, a listener for each port of each service. */
  readonly port: ServicePort | undefined
  readonly bind: string
  readonly captureMode: 'DEFAULT' | 'IPTABLES' | 'NONE'
  readonly services: readonly MeshService[]
  readonly virtualServices: readonly BoundVirtualService[]
  /** Place in `spec.egress`; undefined without a Sidecar. */
  readonly index: number | undefined
}

/** What a proxy can see. Proxies with the same `key` see the same and share their outbound resources. */
export interface View {
  readonly key: string
  readonly sidecar: Sidecar | undefined
  readonly egress: readonly EgressListener[]
  /** Services that need clusters: those of the egress listeners, and what their VirtualServices point at. */
  readonly services: readonly MeshService[]
  serviceOf(hostname: string): MeshService | undefined
  /** ExternalName services that name this host: other names for it. */
  aliasesOf(hostname: string): readonly string[]
  readonly allowAny: boolean
  readonly egressProxy: Destination | undefined
}

export function viewOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor, domainSuffix: string): View {
  const sidecar = proxy.type === 'sidecar' ? sidecarOf(snapshot, proxy) : undefined
  const services = visibleServices(snapshot, proxy.namespace).map((s) => withoutAllocated(inCluster(s, proxy.cluster), proxy))
  const virtualServices = boundVirtualServices(snapshot, domainSuffix).filter(
    (vs) =>
      vs.gateways.includes(MESH_GATEWAY) &&
      visible(
        vs.resource.spec.exportTo,
        snapshot.meshConfig.defaultVirtualServiceExportTo,
        vs.resource.metadata.namespace,
        proxy.namespace,
      ),
  )
  const declared = sidecar?.spec.egress
  const egress =
    declared === undefined || declared.length === 0
      ? [catchAll(services, virtualServices)]
      : declared.map((listener, i) => egressListener(listener, i, services, virtualServices, proxy.namespace))
  const needed = neededServices(egress, services)
  const byHost = new Map(needed.map((s) => [s.hostname, s]))
  const aliases = aliasesByHost(needed)
  const policy = sidecar?.spec.outboundTrafficPolicy ?? snapshot.meshConfig.outboundTrafficPolicy
  return {
    key: `${proxy.namespace} ${sidecar === undefined ? '' : `${sidecar.metadata.namespace}/${sidecar.metadata.name}`}`,
    sidecar,
    egress,
    services: needed,
    serviceOf: (hostname) => byHost.get(hostname),
    aliasesOf: (hostname) => aliases.get(hostname) ?? [],
    allowAny: policy.mode !== 'REGISTRY_ONLY',
    egressProxy: resolvedDestination(
      sidecar?.spec.outboundTrafficPolicy?.egressProxy,
      sidecar?.metadata.namespace ?? proxy.namespace,
      domainSuffix,
    ),
  }
}

function aliasesByHost(services: readonly MeshService[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { resolution, externalName, hostname } of services) {
    if (resolution !== 'Alias' || externalName === undefined) continue
    found.set(externalName, [...(found.get(externalName) ?? []), hostname])
  }
  return found
}

/** The Sidecar of a workload: one that selects it, then the namespace's own, then that of the root namespace. Oldest first. */
function sidecarOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor): Sidecar | undefined {
  const all = snapshot.list('Sidecar')
  const own = all.filter((s) => s.metadata.namespace === proxy.namespace)
  return (
    own.find((s) => !isEmpty(s.spec.workloadSelector?.labels) && selects(s.spec.workloadSelector?.labels, proxy.labels)) ??
    own.find((s) => isEmpty(s.spec.workloadSelector?.labels)) ??
    all.find((s) => s.metadata.namespace === snapshot.meshConfig.rootNamespace && isEmpty(s.spec.workloadSelector?.labels))
  )
}

/** Services that a namespace may see, oldest first: of two with one hostname, that of the own namespace, then the older. */
export function visibleServices(snapshot: MeshSnapshot, namespace: string): readonly MeshService[] {
  const seen = new Map<string, MeshService>()
  for (const service of byAge(snapshot.services)) {
    if (!visible(service.exportTo, snapshot.meshConfig.defaultServiceExportTo, service.namespace, namespace)) continue
    const other = seen.get(service.hostname)
    if (other === undefined) seen.set(service.hostname, service)
    else if (other.namespace === service.namespace)
      seen.set(service.hostname, { ...other, ports: mergePorts(other.ports, service.ports) })
    else if (
      service.namespace === namespace ||
      (other.namespace !== namespace && other.registry !== 'Kubernetes' && service.registry === 'Kubernetes')
    )
      seen.set(service.hostname, service)
  }
  return [...seen.values()]
}

/** With the addresses that the service has in the proxy's cluster. */
function inCluster(service: MeshService, cluster: string): MeshService {
  const addresses = service.addressesIn?.[cluster]
  return addresses === undefined || addresses === service.addresses ? service : { ...service, addresses }
}

const ALLOCATED = '240.240.'

/** Addresses that Istio made up mean something only where the proxy answers DNS itself (node metadata DNS_CAPTURE). */
function withoutAllocated(service: MeshService, proxy: ProxyDescriptor): MeshService {
  const answers = String(proxy.metadata['DNS_CAPTURE'] ?? '') === 'true'
  if (answers || !service.addresses.some((a) => a.startsWith(ALLOCATED))) return service
  return { ...service, addresses: service.addresses.filter((a) => !a.startsWith(ALLOCATED)) }
}

const aged = new WeakMap<readonly MeshService[], readonly MeshService[]>()

/** Oldest first; of one age by name, then namespace. Sorted once per list. */
export function byAge(services: readonly MeshService[]): readonly MeshService[] {
  const known = aged.get(services)
  if (known !== undefined) return known
  const age = (s: MeshService): number => (s.createdAt === '' ? 0 : Date.parse(s.createdAt))
  const keyed = services.map((service) => ({ service, age: age(service), name: `${service.name}.${service.namespace}` }))
  keyed.sort((a, b) => a.age - b.age || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const sorted = keyed.map(({ service }) => service)
  aged.set(services, sorted)
  return sorted
}

function mergePorts(one: readonly ServicePort[], other: readonly ServicePort[]): ServicePort[] {
  return [...one, ...other.filter((p) => !one.some((q) => q.number === p.number))]
}

function catchAll(services: readonly MeshService[], virtualServices: readonly BoundVirtualService[]): EgressListener {
  return { port: undefined, bind: '', captureMode: 'DEFAULT', services, virtualServices, index: undefined }
}

function egressListener(
  listener: IstioEgressListener,
  index: number,
  services: readonly MeshService[],
  virtualServices: readonly BoundVirtualService[],
  namespace: string,
): EgressListener {
  const imports = listener.hosts.map((h) => parseImport(h, namespace))
  const port =
    listener.port === undefined
      ? undefined
      : {
          name: listener.port.name ?? '',
          number: listener.port.number,
          protocol: parseProtocol(listener.port.protocol ?? ''),
          targetPort: listener.port.number,
        }
  return {
    port,
    bind: listener.bind ?? '',
    captureMode: listener.captureMode ?? 'DEFAULT',
    services: services.flatMap((s) => restrictPorts(importedService(s, imports), port)),
    virtualServices: virtualServices.filter((vs) =>
      imports.some((i) => covers(i, vs.resource.metadata.namespace) && vs.hosts.some((h) => hostsOverlap(h, i.host))),
    ),
    index,
  }
}

interface Import {
  readonly namespace: string
  readonly host: string
}

function parseImport(text: string, namespace: string): Import {
  const slash = text.indexOf('/')
  const ns = text.slice(0, slash)
  return { namespace: ns === '.' ? namespace : ns, host: text.slice(slash + 1).toLowerCase() }
}

function covers(i: Import, namespace: string): boolean {
  return i.namespace === '*' || i.namespace === namespace
}

function importedService(service: MeshService, imports: readonly Import[]): MeshService | undefined {
  return imports.some((i) => covers(i, service.namespace) && (i.host === '*' || hostSubsetOf(service.hostname, i.host)))
    ? service
    : undefined
}

/** An egress listener with a port serves only services that have that very port; an HTTP proxy port serves them all. */
function restrictPorts(service: MeshService | undefined, port: ServicePort | undefined): MeshService[] {
  if (service === undefined) return []
  if (port === undefined || port.protocol === 'HTTP_PROXY' || port.number === 0) return [service]
  const ports = service.ports.filter((p) => p.number === port.number)
  return ports.length === 0 ? [] : [{ ...service, ports }]
}

function neededServices(egress: readonly EgressListener[], all: readonly MeshService[]): readonly MeshService[] {
  const needed = new Map<string, MeshService>()
  const add = (service: MeshService): void => {
    const known = needed.get(service.hostname)
    needed.set(service.hostname, known === undefined ? service : { ...known, ports: mergePorts(known.ports, service.ports) })
  }
  for (const listener of egress) {
    if (listener.index === undefined) return all
    for (const service of listener.services) add(service)
  }
  const byHost = new Map(all.map((s) => [s.hostname, s]))
  for (const listener of egress) {
    for (const vs of listener.virtualServices) {
      for (const host of destinationsOf(vs)) {
        const service = byHost.get(host)
        if (service !== undefined && !needed.has(host)) add(service)
      }
    }
  }
  return all.flatMap((s) => needed.get(s.hostname) ?? [])
}

function resolvedDestination(
  destination: Destination | undefined,
  namespace: string,
  domainSuffix: string,
): Destination | undefined {
  return destination === undefined ? undefined : { ...destination, host: resolveHost(destination.host, namespace, domainSuffix) }
}

/** Whether `vs` is the one of `all` that a service follows: an exact host wins over wildcards, a longer wildcard over a shorter, the older over the newer. */
export function followsVirtualService(hostname: string, vs: BoundVirtualService, all: readonly BoundVirtualService[]): boolean {
  let best: BoundVirtualService | undefined
  let bestHost = ''
  for (const candidate of all) {
    for (const host of candidate.hosts) {
      if (!hostSubsetOf(hostname, host)) continue
      const better = best === undefined || (isWildcard(bestHost) && (!isWildcard(host) || host.length > bestHost.length))
      if (better) [best, bestHost] = [candidate, host]
    }
  }
  return best === vs
}
