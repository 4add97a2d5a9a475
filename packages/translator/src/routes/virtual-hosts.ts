import { type EffectiveVirtualService, MESH_GATEWAY, type MeshService, type ServicePort } from '@heddle/config-model'
import type { Route, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import { type Build, vips } from '../build.js'
import { hostSubsetOf, isWildcard, shortNames } from '../hosts.js'
import { bracketed, hostWithPort } from '../names.js'
import { isHttpOrSniffed } from '../protocol.js'
import { NO_ORIGINS, sourceOf, sourceOfKey } from '../provenance.js'
import { routeSemantics } from '../semantics.js'
import { type EgressListener, followsVirtualService } from '../view.js'
import { serviceRoute } from './default-route.js'
import { httpRoutes } from './http-route.js'

/** Hosts that share routes on a port: services, and names that only a VirtualService knows. */
interface HostGroup {
  readonly port: number
  readonly services: readonly MeshService[]
  readonly names: readonly string[]
  readonly routes: readonly Route[]
  readonly virtualService: EffectiveVirtualService | undefined
}

/** What all virtual hosts of a configuration have in common. */
export interface HostOptions {
  readonly attemptCount: boolean
  /** Each domain with its port as well: for clients that do not leave the port out when they match. */
  readonly withPorts: boolean
}

/**
 * The virtual hosts of an outbound route configuration, sorted by name. `port` 0 is the HTTP proxy: all services on all their ports,
 * but only names with a port for those other than 80.
 */
export function outboundVirtualHosts(build: Build, listener: EgressListener, port: number, options: HostOptions): VirtualHost[] {
  const withPorts = options.withPorts || port === 0
  const services = listener.servicesOn(port)
  const groups = hostGroups(build, listener, services, port)
  const known = new Set<string>()
  for (const group of groups)
    for (const { hostname } of group.services) known.add(hostname).add(hostWithPort(hostname, group.port))
  const taken = { names: new Set<string>(), domains: new Set<string>(), known }
  const hosts: VirtualHost[] = []
  for (const group of groups) {
    if (port !== 0 && group.port !== port) continue
    for (const name of group.names) {
      const domains = options.withPorts ? [bracketed(name), hostWithPort(name, group.port)] : [bracketed(name)]
      add(hosts, virtualHost(build, group, name, plainDomains(domains), taken, options.attemptCount, undefined))
    }
    for (const service of group.services) {
      const at = withPorts ? group.port : undefined
      const domains = build.memo.of('domains', [service, at], () => serviceDomains(build, service, at))
      add(hosts, virtualHost(build, group, service.hostname, domains, taken, options.attemptCount, service))
    }
  }
  const served = port === 0 ? hosts.flatMap((host) => onlyWithPort(build, host)) : hosts
  return served.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
}

/** VirtualServices first, oldest first, then the services that are left. */
function hostGroups(
  build: Build,
  listener: EgressListener,
  services: ReadonlyMap<string, MeshService>,
  port: number,
): HostGroup[] {
  const groups: HostGroup[] = []
  for (const virtualService of listener.virtualServices) {
    if (virtualService.http.length === 0) continue
    // Off port 80 a VirtualService matters only for services that exist.
    if (port !== 80 && !matchesAny(virtualService, services)) continue
    const routes = build.memo.shared('outbound http routes', [keyOf(virtualService), port, listener.index, virtualService], () =>
      httpRoutes({
        build,
        virtualService,
        port,
        gateway: MESH_GATEWAY,
        tls: false,
        serviceOf: (h) => listener.serviceOn(port, h),
      }),
    )
    if (routes.length > 0) groups.push(...groupsOf(build, virtualService, routes, listener, services, port))
  }
  const followed = new Set(groups.flatMap((g) => g.services.map((s) => s.hostname)))
  for (const service of services.values()) {
    if (followed.has(service.hostname) || service.resolution === 'Alias') continue
    const own = [service]
    for (const p of service.ports) {
      if (!isHttpOrSniffed(p.protocol)) continue
      const routes = build.memo.shared('service route', [service.hostname, p.number, service], () => [
        serviceRoute(build, service, p),
      ])
      groups.push({ port: p.number, services: own, names: NONE, routes, virtualService: undefined })
    }
  }
  return groups
}

const NONE: readonly string[] = []

function matchesAny(vs: EffectiveVirtualService, services: ReadonlyMap<string, MeshService>): boolean {
  return vs.hosts.some(
    (host) => services.has(host) || (isWildcard(host) && [...services.keys()].some((name) => hostSubsetOf(name, host))),
  )
}

function keyOf({ resource: { metadata } }: EffectiveVirtualService): string {
  return `${metadata.namespace}/${metadata.name}`
}

/** Routes of the Gateway API are for callers of their own namespace, or for services of theirs whoever calls. */
function mayRoute(build: Build, { resource: { metadata } }: EffectiveVirtualService): (service: MeshService) => boolean {
  return ({ namespace }) => namespace === metadata.namespace || build.proxy.namespace === metadata.namespace
}

function groupsOf(
  build: Build,
  virtualService: EffectiveVirtualService,
  routes: readonly Route[],
  listener: EgressListener,
  services: ReadonlyMap<string, MeshService>,
  port: number,
): HostGroup[] {
  const names: string[] = []
  const matched: MeshService[] = []
  for (const host of virtualService.hosts.filter((h) => !isWildcard(h))) {
    const service = services.get(host)
    if (service === undefined) names.push(host)
    else matched.push(service)
  }
  for (const host of virtualService.hosts.filter(isWildcard)) {
    const under = [...services.values()].filter((s) => hostSubsetOf(s.hostname, host))
    if (under.length === 0) names.push(host)
    matched.push(...under.filter((s) => followsVirtualService(s.hostname, virtualService, listener.virtualServices)))
  }
  const taken = routeSemantics(virtualService.resource) === 'gateway' ? matched.filter(mayRoute(build, virtualService)) : matched
  if (taken !== matched && taken.length === 0) return []
  const byPort = new Map<number, MeshService[]>()
  for (const service of taken) {
    for (const p of service.ports.filter((q: ServicePort) => isHttpOrSniffed(q.protocol)))
      byPort.set(p.number, [...(byPort.get(p.number) ?? []), service])
  }
  if (byPort.size === 0 && port === 80) byPort.set(80, [])
  return [...byPort].map(([number, of]) => ({ port: number, services: of, names, routes, virtualService }))
}

interface Taken {
  readonly names: Set<string>
  readonly domains: Set<string>
  readonly known: ReadonlySet<string>
}

/** Names of a host, and what each is told from others by. */
interface Domains {
  readonly names: readonly string[]
  /** In lower case. */
  readonly keys: readonly string[]
  /** Short forms never take the name of a real host. */
  readonly short: readonly boolean[]
}

function plainDomains(names: readonly string[]): Domains {
  return { names, keys: names.map((name) => name.toLowerCase()), short: NONE_SHORT }
}

const NONE_SHORT: readonly boolean[] = []

interface Made {
  readonly routes: readonly Route[]
  readonly attemptCount: boolean
  readonly host: VirtualHost
}

// Of domains that are all free: most hosts are what they were.
const made = new WeakMap<Domains, Made>()

/** A virtual host with the domains that nobody before it has; undefined when none is left. */
function virtualHost(
  build: Build,
  group: HostGroup,
  hostname: string,
  domains: Domains,
  taken: Taken,
  attemptCount: boolean,
  service: MeshService | undefined,
): VirtualHost | undefined {
  const name = hostWithPort(hostname, group.port)
  if (taken.names.has(name)) return undefined
  taken.names.add(name)
  const own = freeOf(domains, taken)
  if (own.length === 0) return undefined
  const known = made.get(domains)
  if (known?.routes === group.routes && known.attemptCount === attemptCount && own.length === domains.names.length)
    return known.host
  const host: VirtualHost = {
    name,
    domains: own,
    routes: group.routes,
    ...(attemptCount ? { include_request_attempt_count: true } : {}),
  }
  if (build.origins !== NO_ORIGINS) {
    if (group.virtualService !== undefined) build.origins.mark(host, sourceOf(group.virtualService.resource, 'spec.hosts'))
    if (service !== undefined) build.origins.mark(host, sourceOfKey(service.source))
  }
  const shared = build.memo.intern('virtual host', name, host)
  if (own.length === domains.names.length) made.set(domains, { routes: group.routes, attemptCount, host: shared })
  return shared
}

function freeOf({ names, keys, short }: Domains, taken: Taken): readonly string[] {
  const free: string[] = []
  for (let i = 0; i < names.length; i++) {
    const [name, key] = [names[i] as string, keys[i] as string]
    if (taken.domains.has(key) || (short[i] === true && taken.known.has(name))) continue
    taken.domains.add(key)
    free.push(name)
  }
  return free
}

function add(hosts: VirtualHost[], host: VirtualHost | undefined): void {
  if (host !== undefined) hosts.push(host)
}

/** Every name by which a proxy may call a service: FQDN with and without the root dot, short names, `*.` of headless ones, VIPs. With a port each stands twice. */
function serviceDomains(build: Build, service: MeshService, port: number | undefined): Domains {
  const withPort = (domain: string): string[] =>
    port === undefined ? [bracketed(domain)] : [bracketed(domain), hostWithPort(domain, port)]
  const aliases = build.view.aliasesOf(service.hostname)
  const names = shortNames(service.hostname, build.proxy.dnsDomain)
  if (service.registry === 'External' && aliases.length === 0 && names.length === 0) return ownDomains(service, port)
  const short = [service.hostname, ...aliases].flatMap((h) => shortNames(h, build.proxy.dnsDomain)).flatMap(withPort)
  const domains = [service.hostname, ...aliases].flatMap((h) => [
    ...withPort(h),
    ...withPort(`${h}.`),
    ...shortNames(h, build.proxy.dnsDomain).flatMap(withPort),
  ])
  if (service.resolution === 'Passthrough' && service.registry === 'Kubernetes') domains.push(...domains.map((d) => `*.${d}`))
  domains.push(...calledAddresses(service).flatMap(withPort))
  return { ...plainDomains(domains), short: domains.map((domain) => short.includes(domain)) }
}

/** Of a service without other names. */
function ownDomains(service: MeshService, port: number | undefined): Domains {
  const names: string[] = []
  const add = (domain: string): void => {
    names.push(bracketed(domain))
    if (port !== undefined) names.push(hostWithPort(domain, port))
  }
  add(service.hostname)
  add(`${service.hostname}.`)
  for (const address of calledAddresses(service)) add(address)
  return plainDomains(names)
}

/** Of several cluster IPs the first is called; those of a ServiceEntry are all its own. */
function calledAddresses(service: MeshService): readonly string[] {
  const addresses = vips(service)
  return service.registry === 'Kubernetes' ? addresses.slice(0, 1) : addresses
}

/** On the HTTP proxy a bare name means port 80. */
function onlyWithPort(build: Build, host: VirtualHost): VirtualHost[] {
  if (host.name?.endsWith(':80') === true) return [host]
  const domains = (host.domains ?? []).filter((d) => /:\d+$/.test(d))
  return domains.length === 0 ? [] : [build.origins.copy(host, { ...host, domains })]
}
