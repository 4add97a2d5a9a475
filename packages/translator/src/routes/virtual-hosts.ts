import { type EffectiveVirtualService, MESH_GATEWAY, type MeshService, type ServicePort } from '@heddle/config-model'
import type { Route, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import { hostSubsetOf, isWildcard } from '../hosts.js'
import { bracketed, hostWithPort } from '../names.js'
import { isHttpOrSniffed } from '../protocol.js'
import { NO_ORIGINS, sourceOf, sourceOfKey } from '../provenance.js'
import { routeSemantics } from '../semantics.js'
import { type EgressListener, followsVirtualService } from '../view.js'
import { serviceRoute } from './default-route.js'
import { type Domains, plainDomains, serviceDomains } from './domains.js'
import { type Claimant, createPlacing, type Place } from './host-places.js'
import { httpRoutes } from './http-route.js'

/** A service, or a name that only a VirtualService knows, and where requests to it go. */
interface Host extends Claimant {
  readonly routes: readonly Route[]
  readonly service: MeshService | undefined
  readonly virtualService: EffectiveVirtualService | undefined
}

/** What all virtual hosts of a configuration have in common. */
export interface HostOptions {
  readonly attemptCount: boolean
  /** Each domain with its port as well: for clients that do not leave the port out when they match. */
  readonly withPorts: boolean
}

/** Of which route configuration hosts are: the egress listener by its place, so that what is kept for it asks for the listener as it is. */
interface HostScope {
  readonly build: Build
  readonly index: number | undefined
  readonly port: number
  readonly withPorts: boolean
}

/**
 * The virtual hosts of an outbound route configuration, sorted by name. `port` 0 is the HTTP proxy: all services on all their ports,
 * but only names with a port for those other than 80.
 */
export function outboundVirtualHosts(build: Build, listener: EgressListener, port: number, options: HostOptions): VirtualHost[] {
  const { attemptCount, withPorts } = options
  const placing = build.memo.of('placing of hosts', [listener.index, port, withPorts], createPlacing)
  const hosts = placing(hostsOf({ build, index: listener.index, port, withPorts }, listener)).map((place) =>
    virtualHost(build, place, attemptCount),
  )
  return port === 0 ? hosts.flatMap((host) => onlyWithPort(build, host)) : hosts
}

/** VirtualServices first, oldest first, then the services that are left. */
function hostsOf(scope: HostScope, listener: EgressListener): readonly Host[] {
  const { build, index, port, withPorts } = scope
  const args = [index, port, withPorts] as const
  const routed = build.memo.each('hosts of virtual services', args, listener.virtualServices, (vs) => routedHosts(scope, vs))
  const followed = new Set<string>()
  for (const { hostname } of routed) followed.add(hostname)
  const left: MeshService[] = []
  for (const service of listener.servicesOn(port).values())
    if (!followed.has(service.hostname) && service.resolution !== 'Alias') left.push(service)
  return routed.concat(build.memo.each('hosts of services', args, left, (service) => ownHosts(scope, service)))
}

/** The hosts that a VirtualService speaks of. */
function routedHosts({ build, index, port, withPorts }: HostScope, virtualService: EffectiveVirtualService): Host[] {
  const listener = build.view.egress.find((l) => l.index === index)
  if (listener === undefined || virtualService.http.length === 0) return []
  // Off port 80 a VirtualService matters only for services that exist.
  if (port !== 80 && !matchesAny(virtualService, listener, port)) return []
  const routes = build.memo.shared('outbound http routes', [keyOf(virtualService), port, index, virtualService], () =>
    httpRoutes({
      build,
      virtualService,
      port,
      gateway: MESH_GATEWAY,
      tls: false,
      serviceOf: (h) => listener.serviceOn(port, h),
    }),
  )
  if (routes.length === 0) return []
  const hosts: Host[] = []
  for (const { number, services, names } of calledOn(build, virtualService, listener, port)) {
    for (const hostname of names) {
      const at = withPorts ? number : undefined
      const domains = build.memo.of('plain domains', [hostname, at], () => namesOf(hostname, at))
      hosts.push({ name: hostWithPort(hostname, number), hostname: '', domains, routes, service: undefined, virtualService })
    }
    for (const service of services)
      hosts.push(serviceHost({ build, index, port, withPorts }, service, number, routes, virtualService))
  }
  return hosts
}

function namesOf(hostname: string, port: number | undefined): Domains {
  return plainDomains(port === undefined ? [bracketed(hostname)] : [bracketed(hostname), hostWithPort(hostname, port)])
}

/** A service that no VirtualService speaks of, on each of its ports. */
function ownHosts(scope: HostScope, service: MeshService): Host[] {
  const { build } = scope
  return service.ports
    .filter(({ protocol }) => isHttpOrSniffed(protocol))
    .map((port) => {
      const routes = build.memo.shared('service route', [service.hostname, port.number, service], () => [
        serviceRoute(build, service, port),
      ])
      return serviceHost(scope, service, port.number, routes, undefined)
    })
}

function serviceHost(
  { build, port, withPorts }: HostScope,
  service: MeshService,
  number: number,
  routes: readonly Route[],
  virtualService: EffectiveVirtualService | undefined,
): Host {
  const at = withPorts || port === 0 ? number : undefined
  const domains = build.memo.of('domains', [service, at], () => serviceDomains(build, service, at))
  const { hostname } = service
  return { name: hostWithPort(hostname, number), hostname, domains, routes, service, virtualService }
}

function matchesAny(vs: EffectiveVirtualService, listener: EgressListener, port: number): boolean {
  return vs.hosts.some((host) =>
    isWildcard(host)
      ? [...listener.servicesOn(port).keys()].some((name) => hostSubsetOf(name, host))
      : listener.serviceOn(port, host) !== undefined,
  )
}

function keyOf({ resource: { metadata } }: EffectiveVirtualService): string {
  return `${metadata.namespace}/${metadata.name}`
}

/** Routes of the Gateway API are for callers of their own namespace, or for services of theirs whoever calls. */
function mayRoute(build: Build, { resource: { metadata } }: EffectiveVirtualService): (service: MeshService) => boolean {
  return ({ namespace }) => namespace === metadata.namespace || build.proxy.namespace === metadata.namespace
}

/** Hosts that a VirtualService routes, by port: services, and names that are none. */
interface Called {
  readonly number: number
  readonly services: readonly MeshService[]
  readonly names: readonly string[]
}

function calledOn(build: Build, virtualService: EffectiveVirtualService, listener: EgressListener, port: number): Called[] {
  const names: string[] = []
  const matched: MeshService[] = []
  for (const host of virtualService.hosts.filter((h) => !isWildcard(h))) {
    const service = listener.serviceOn(port, host)
    if (service === undefined) names.push(host)
    else matched.push(service)
  }
  for (const host of virtualService.hosts.filter(isWildcard)) {
    const under = [...listener.servicesOn(port).values()].filter((s) => hostSubsetOf(s.hostname, host))
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
  return [...byPort].map(([number, services]) => ({ number, services, names }))
}

interface Made {
  readonly routes: readonly Route[]
  readonly attemptCount: boolean
  readonly host: VirtualHost
}

// Of domains that are all free: most hosts are what they were.
const made = new WeakMap<Domains, Made>()

function virtualHost(build: Build, { claimant, domains }: Place<Host>, attemptCount: boolean): VirtualHost {
  const { name, routes, service, virtualService } = claimant
  const isWhole = domains.length === claimant.domains.names.length
  const known = made.get(claimant.domains)
  if (isWhole && known?.routes === routes && known.attemptCount === attemptCount) return known.host
  const host: VirtualHost = { name, domains, routes, ...(attemptCount ? { include_request_attempt_count: true } : {}) }
  if (build.origins !== NO_ORIGINS) {
    if (virtualService !== undefined) build.origins.mark(host, sourceOf(virtualService.resource, 'spec.hosts'))
    if (service !== undefined) build.origins.mark(host, sourceOfKey(service.source))
  }
  const shared = build.memo.intern('virtual host', name, host)
  if (isWhole) made.set(claimant.domains, { routes, attemptCount, host: shared })
  return shared
}

/** On the HTTP proxy a bare name means port 80. */
function onlyWithPort(build: Build, host: VirtualHost): VirtualHost[] {
  if (host.name?.endsWith(':80') === true) return [host]
  const domains = (host.domains ?? []).filter((d) => /:\d+$/.test(d))
  return domains.length === 0 ? [] : [build.origins.copy(host, { ...host, domains })]
}
