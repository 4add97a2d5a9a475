import {
  type Destination,
  type EffectiveVirtualService,
  type IstioEgressListener,
  MESH_GATEWAY,
  type MeshService,
  type MeshSnapshot,
  parseProtocol,
  resolveHost,
  type ServicePort,
  type Sidecar,
} from '@heddle/config-model'
import { selectsProxy } from './ask.js'
import { hostSubsetOf, hostsOverlap, isWildcard } from './hosts.js'
import type { Memo } from './memo.js'
import { mergedHosts } from './merged-hosts.js'
import type { PilotFeatures } from './pilot-features.js'
import type { ProxyDescriptor } from './proxy.js'
import { isEmpty } from './selection.js'
import { withAddresses } from './service-addresses.js'
import { destinationsOf, visibleVirtualServices } from './virtual-services.js'
import { mergePorts, visibleServices } from './visible-services.js'

/** One egress listener of a Sidecar, or the catch-all that stands for no Sidecar. */
export interface EgressListener {
  /** undefined: the catch-all, a listener for each port of each service. */
  readonly port: ServicePort | undefined
  readonly bind: string
  readonly captureMode: 'DEFAULT' | 'IPTABLES' | 'NONE'
  readonly services: readonly MeshService[]
  /** Oldest first. */
  readonly virtualServices: readonly EffectiveVirtualService[]
  /** Place in `spec.egress`; undefined without a Sidecar. */
  readonly index: number | undefined
  /** Those with `port`, each with that port only; all of them for 0. */
  servicesOn(port: number): ReadonlyMap<string, MeshService>
  /** One of `servicesOn(port)`. */
  serviceOn(port: number, hostname: string): MeshService | undefined
  /** Those of the virtual services that have a host in common with `hostname`. */
  virtualServicesFor(hostname: string): readonly EffectiveVirtualService[]
}

/** What a proxy can see. */
export interface View {
  /** For people: the namespace, and the Sidecar where there is one. */
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

/** What a view is made from. */
export interface ViewScope {
  readonly snapshot: MeshSnapshot
  readonly proxy: ProxyDescriptor
  readonly domainSuffix: string
  readonly features: PilotFeatures
  /** Of the view. */
  readonly found: Memo
  /** Of the mesh. */
  readonly common: Memo
}

/** Everything in it is found when it is asked for: who reads the services does not depend on VirtualServices. */
export function viewOf(scope: ViewScope): View {
  const { snapshot, proxy, domainSuffix, found, common } = scope
  const sidecar = (): Sidecar | undefined => found.of('view sidecar', [], () => sidecarOf(snapshot, proxy))
  const egress = keepLast((of: Sidecar | undefined) => egressListeners(scope, of))
  const listed = (): Listed => ({
    all: candidates(scope),
    byHost: found.of('candidates by host', [], () => new Map(candidates(scope).map((s) => [s.hostname, s]))),
    imported: found.of('imported services', [], () => importedServices(egress(sidecar()))),
  })
  const services = (): readonly MeshService[] =>
    found.of('view services', [], () => {
      const listeners = egress(sidecar())
      if (listeners.some(({ index }) => index === undefined)) return candidates(scope)
      const added = addedServices(listeners, listed(), proxy.namespace)
      if (added.size > 0) return listServices(listed(), added)
      return found.of('view services of listeners', [], () => listServices(listed(), added))
    })
  const serviceOf = (hostname: string): MeshService | undefined =>
    found.table('view hosts', [], () => new Map(services().map((s) => [s.hostname, s])))(hostname)
  return {
    get key() {
      const { namespace, name } = sidecar()?.metadata ?? {}
      return name === undefined ? proxy.namespace : `${proxy.namespace} ${namespace}/${name}`
    },
    get sidecar() {
      return sidecar()
    },
    get egress() {
      return egress(sidecar())
    },
    get services() {
      return services()
    },
    serviceOf,
    aliasesOf(hostname) {
      const all = common.table('aliases', [], () => aliasesByHost(snapshot.services))(hostname) ?? []
      const [service, declared] = [serviceOf(hostname), sidecar()?.spec.egress ?? []]
      if (all.length === 0 || service === undefined || declared.length === 0) return all
      return importedAliases(all, service, declared, proxy.namespace)
    },
    get allowAny() {
      return (sidecar()?.spec.outboundTrafficPolicy ?? snapshot.meshConfig.outboundTrafficPolicy).mode !== 'REGISTRY_ONLY'
    },
    get egressProxy() {
      const own = sidecar()
      const namespace = own?.metadata.namespace ?? proxy.namespace
      return resolvedDestination(own?.spec.outboundTrafficPolicy?.egressProxy, namespace, domainSuffix)
    },
  }
}

/** `make` of the last argument. */
function keepLast<A, R>(make: (argument: A) => R): (argument: A) => R {
  let last: { argument: A; result: R } | undefined
  return (argument) => {
    if (last === undefined || last.argument !== argument) last = { argument, result: make(argument) }
    return last.result
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

/** Those that a Sidecar's hosts for the namespace of the service itself cover, or else those for any; all of a service that is not imported by host. */
function importedAliases(
  aliases: readonly string[],
  service: MeshService,
  egress: readonly IstioEgressListener[],
  namespace: string,
): readonly string[] {
  const lists = egress.flatMap(({ hosts }) => {
    const imports = hosts.map((h) => parseImport(h, namespace)).filter(({ excluded }) => !excluded)
    const importing = [service.namespace, '*'].map((from) => imports.filter((i) => i.namespace === from))
    return importing.find((list) => list.some((i) => names(i, service.hostname))) ?? []
  })
  return lists.length === 0 ? aliases : aliases.filter((alias) => lists.some((i) => names(i, alias)))
}

function names(i: Import, hostname: string): boolean {
  return i.host === '*' || hostSubsetOf(hostname, i.host)
}

/** The Sidecar of a workload: one that selects it, then the namespace's own, then that of the root namespace. Oldest first. */
function sidecarOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor): Sidecar | undefined {
  if (proxy.type !== 'sidecar') return undefined
  const all = snapshot.list('Sidecar')
  const own = all.filter((s) => s.metadata.namespace === proxy.namespace)
  return (
    own.find((s) => !isEmpty(s.spec.workloadSelector?.labels) && selectsProxy(s.spec.workloadSelector?.labels, proxy)) ??
    own.find((s) => isEmpty(s.spec.workloadSelector?.labels)) ??
    all.find((s) => s.metadata.namespace === snapshot.meshConfig.rootNamespace && isEmpty(s.spec.workloadSelector?.labels))
  )
}

/** Every service that the proxy may see, with the addresses that it has for this proxy. */
function candidates({ snapshot, proxy, found, common, features }: ViewScope): readonly MeshService[] {
  return found.of('view candidates', [], () => {
    const { namespace } = proxy
    const all = common.of('visible services', [namespace], () => visibleServices(snapshot, namespace))
    return all.map((service) => withAddresses(service, proxy, features))
  })
}

function egressListeners(scope: ViewScope, sidecar: Sidecar | undefined): readonly EgressListener[] {
  const declared = sidecar?.spec.egress
  return declared === undefined || declared.length === 0
    ? [egressListener(scope, undefined, undefined)]
    : declared.map((listener, i) => egressListener(scope, listener, i))
}

function egressListener(scope: ViewScope, declared: IstioEgressListener | undefined, index: number | undefined): EgressListener {
  const { found, proxy } = scope
  const imports = declared?.hosts.map((h) => parseImport(h, proxy.namespace))
  const port = portOf(declared)
  const services = (): readonly MeshService[] =>
    imports === undefined
      ? candidates(scope)
      : found.of('egress services', [declared], () =>
          candidates(scope).flatMap((s) => restrictPorts(importedService(s, imports), port)),
        )
  const virtualServices = (): readonly EffectiveVirtualService[] =>
    found.of('egress virtual services', [declared], () => importedVirtualServices(scope, imports))
  const servicesOn = (number: number): ReadonlyMap<string, MeshService> =>
    found.of('egress services on port', [declared, number], () => onPort(services(), number))
  return {
    port,
    bind: declared?.bind ?? '',
    captureMode: declared?.captureMode ?? 'DEFAULT',
    index,
    get services() {
      return services()
    },
    get virtualServices() {
      return virtualServices()
    },
    servicesOn,
    serviceOn: (number, hostname) => found.table('egress hosts on port', [declared, number], () => servicesOn(number))(hostname),
    virtualServicesFor(hostname) {
      const byHost = found.table('egress virtual services by host', [declared], () => byHosts(virtualServices()))
      if (byHost('*') === undefined && !isWildcard(hostname)) return byHost(hostname) ?? []
      return virtualServices().filter((vs) => vs.hosts.some((h) => hostsOverlap(hostname, h)))
    },
  }
}

function portOf(listener: IstioEgressListener | undefined): ServicePort | undefined {
  if (listener?.port === undefined) return undefined
  const { name = '', number, protocol = '' } = listener.port
  return { name, number, protocol: parseProtocol(protocol), targetPort: number }
}

function onPort(services: readonly MeshService[], number: number): ReadonlyMap<string, MeshService> {
  const found = new Map<string, MeshService>()
  for (const service of services) {
    const served = number === 0 ? service : withPort(service, number)
    if (served !== undefined) found.set(service.hostname, served)
  }
  return found
}

const withOnePort = new WeakMap<MeshService, Map<number, MeshService | undefined>>()

/** The service with this port only, always the same object; undefined for one without the port. */
function withPort(service: MeshService, number: number): MeshService | undefined {
  if (service.ports.length === 1 && service.ports[0]?.number === number) return service
  const known = withOnePort.get(service) ?? new Map<number, MeshService | undefined>()
  withOnePort.set(service, known)
  if (!known.has(number)) {
    const ports = service.ports.filter((p) => p.number === number)
    known.set(number, ports.length === 0 ? undefined : { ...service, ports })
  }
  return known.get(number)
}

/** By exact host; all with a wildcard under `*`. */
function byHosts(list: readonly EffectiveVirtualService[]): ReadonlyMap<string, readonly EffectiveVirtualService[]> {
  const found = new Map<string, EffectiveVirtualService[]>()
  for (const vs of list) {
    for (const key of new Set(vs.hosts.map((h) => (isWildcard(h) ? '*' : h)))) {
      const known = found.get(key)
      if (known === undefined) found.set(key, [vs])
      else known.push(vs)
    }
  }
  return found
}

function importedVirtualServices(
  { snapshot, proxy, domainSuffix, common }: ViewScope,
  imports: readonly Import[] | undefined,
): readonly EffectiveVirtualService[] {
  const { namespace } = proxy
  const all = common.of('visible virtual services', [namespace, domainSuffix], () =>
    visibleVirtualServices(snapshot, domainSuffix, namespace).filter((vs) => vs.gateways.includes(MESH_GATEWAY)),
  )
  const imported =
    imports === undefined
      ? all
      : all.filter((vs) =>
          imports.some(
            (i) => !i.excluded && covers(i, vs.resource.metadata.namespace) && vs.hosts.some((h) => hostsOverlap(h, i.host)),
          ),
        )
  return snapshot.sidecarHosts === 'merge' ? mergedHosts(imported) : imported
}

interface Import {
  readonly namespace: string
  readonly host: string
  /** `~namespace/host`: services that are not wanted, whatever else imports them; `~/host` is of any namespace. */
  readonly excluded: boolean
}

function parseImport(text: string, namespace: string): Import {
  const slash = text.indexOf('/')
  const written = text.slice(0, slash)
  const excluded = written.startsWith('~')
  const ns = excluded ? written.slice(1) || '*' : written
  return { namespace: ns === '.' ? namespace : ns, host: text.slice(slash + 1).toLowerCase(), excluded }
}

function covers(i: Import, namespace: string): boolean {
  return i.namespace === '*' || i.namespace === namespace
}

function importedService(service: MeshService, imports: readonly Import[]): MeshService | undefined {
  const named = imports.filter((i) => covers(i, service.namespace) && names(i, service.hostname))
  return named.length === 0 || named.some(({ excluded }) => excluded) ? undefined : service
}

/** An egress listener with a port serves only services that have that very port; an HTTP proxy port serves them all. */
function restrictPorts(service: MeshService | undefined, port: ServicePort | undefined): MeshService[] {
  if (service === undefined) return []
  if (!isPortOnly(port)) return [service]
  const served = withPort(service, port.number)
  return served === undefined ? [] : [served]
}

function isPortOnly(port: ServicePort | undefined): port is ServicePort {
  return port !== undefined && port.protocol !== 'HTTP_PROXY' && port.number !== 0
}

/** The service with the ports that a VirtualService sends to; undefined where it has none of them. */
function withPorts(service: MeshService, numbers: ReadonlySet<number>): MeshService | undefined {
  if (numbers.has(0)) return service
  const ports = service.ports.filter((p) => numbers.has(p.number))
  if (ports.length === service.ports.length) return service
  return ports.length === 0 ? undefined : { ...service, ports }
}

type ServicesByHost = ReadonlyMap<string, MeshService>

/** What a view with a Sidecar chooses from. */
interface Listed {
  readonly all: readonly MeshService[]
  readonly byHost: ServicesByHost
  /** Those of the egress listeners. */
  readonly imported: ServicesByHost
}

function importedServices(egress: readonly EgressListener[]): ServicesByHost {
  const found = new Map<string, MeshService>()
  for (const listener of egress)
    for (const service of listener.services) found.set(service.hostname, withMore(found.get(service.hostname), service))
  return found
}

/** The same object where nothing is added. */
function withMore(known: MeshService | undefined, service: MeshService): MeshService {
  if (known === undefined) return service
  const isKnown = service.ports.every(({ number }) => known.ports.some((p) => p.number === number))
  return isKnown ? known : { ...known, ports: mergePorts(known.ports, service.ports) }
}

/** What VirtualServices send to beyond what is imported. */
function addedServices(egress: readonly EgressListener[], { byHost, imported }: Listed, namespace: string): ServicesByHost {
  const added = new Map<string, MeshService>()
  for (const listener of egress) {
    for (const vs of listener.virtualServices) {
      for (const [host, ports] of destinationsOf(vs, namespace)) {
        const service = byHost.get(host)
        if (service === undefined) continue
        const served = isPortOnly(listener.port) ? withPort(service, listener.port.number) : withPorts(service, ports)
        if (served === undefined) continue
        const known = added.get(host) ?? imported.get(host)
        const next = withMore(known, served)
        if (next !== known) added.set(host, next)
      }
    }
  }
  return added
}

function listServices({ all, imported }: Listed, added: ServicesByHost): readonly MeshService[] {
  return all.flatMap(({ hostname }) => added.get(hostname) ?? imported.get(hostname) ?? [])
}

function resolvedDestination(
  destination: Destination | undefined,
  namespace: string,
  domainSuffix: string,
): Destination | undefined {
  return destination === undefined ? undefined : { ...destination, host: resolveHost(destination.host, namespace, domainSuffix) }
}

/** Whether `vs` is the one of `all` that a service follows: an exact host wins over wildcards, a longer wildcard over a shorter, the older over the newer. */
export function followsVirtualService(
  hostname: string,
  vs: EffectiveVirtualService,
  all: readonly EffectiveVirtualService[],
): boolean {
  let best: EffectiveVirtualService | undefined
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
