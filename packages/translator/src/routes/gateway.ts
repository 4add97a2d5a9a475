import { type EffectiveVirtualService, exportedTo, type MeshService } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { Route, RouteConfiguration, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import { type BoundServer, hostsFor, hostsFrom } from '../gateways.js'
import { bySpecificity, intersectHosts } from '../hosts.js'
import { hostWithPort } from '../names.js'
import { NO_ORIGINS, sourceOf } from '../provenance.js'
import { proxyHeaders } from '../proxy-headers.js'
import { visibleVirtualServices } from '../virtual-services.js'
import { dependsOnPort, httpRoutes } from './http-route.js'
import { isCatchAll } from './match.js'
import { configuration } from './outbound.js'

/** One route configuration per HTTP port of a gateway, one per HTTPS server. */
export function gatewayRoutes(build: Build, servers: readonly BoundServer[]): RouteConfiguration[] {
  const byName = new Map<string, BoundServer[]>()
  for (const server of servers) {
    if (server.routeName === '') continue
    const known = byName.get(server.routeName)
    if (known === undefined) byName.set(server.routeName, [server])
    else known.push(server)
  }
  return [...byName].map(([name, list]) => routeConfiguration(build, name, list))
}

interface Host {
  readonly domain: string
  readonly port: number
  /** Of each VirtualService the routes, the oldest first. */
  readonly routes: (readonly Route[])[]
  requireTls: boolean
  readonly owners: EffectiveVirtualService[]
}

function routeConfiguration(build: Build, name: string, servers: readonly BoundServer[]): RouteConfiguration {
  const hosts = new Map<string, Host>()
  for (const bound of servers) {
    addRoutes(build, bound, hosts)
    if (bound.server.tls?.httpsRedirect === true) addRedirects(bound, hosts)
  }
  const { attemptCount } = proxyHeaders(build.proxyConfig, 'gateway')
  if (hosts.size === 0) {
    const port = servers[0]?.server.port.number ?? 0
    return mark(build, configuration(name, [{ name: `blackhole:${port}`, domains: ['*'] }]), servers)
  }
  const collapsed = collapse(hosts).map(({ first, domains }): VirtualHost => {
    const routes = routesOfHost(build, first.routes)
    const made: VirtualHost = { name: hostWithPort(first.domain, first.port), domains }
    if (routes.length > 0) made.routes = routes
    if (attemptCount) made.include_request_attempt_count = true
    if (first.requireTls) made.require_tls = 'ALL'
    if (build.origins !== NO_ORIGINS)
      for (const { resource } of first.owners) build.origins.mark(made, sourceOf(resource, 'spec.hosts'))
    return made
  })
  return mark(
    build,
    configuration(
      name,
      collapsed.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
    ),
    servers,
  )
}

/** VirtualServices of a gateway, oldest first; those of one host share its virtual host. */
function addRoutes(build: Build, bound: BoundServer, hosts: Map<string, Host>): void {
  const { server, gateway, gatewayName } = bound
  const requireTls = server.tls?.httpsRedirect === true
  for (const vs of virtualServicesOf(build, gatewayName)) {
    const served = intersectHosts(hostsFor(server, gateway.metadata.namespace, vs.resource.metadata.namespace), vs.hosts)
    if (served.length === 0) continue
    const routes = routesOf(build, vs, bound)
    if (routes.length === 0) continue
    for (const domain of served) {
      const host = hosts.get(domain)
      if (host === undefined) hosts.set(domain, { domain, port: server.port.number, routes: [routes], requireTls, owners: [vs] })
      else {
        host.routes.push(routes)
        host.owners.push(vs)
        if (requireTls) host.requireTls = true
      }
    }
  }
}

export function virtualServicesOf(build: Build, gatewayName: string): readonly EffectiveVirtualService[] {
  const { snapshot, domainSuffix, proxy, common } = build
  const { namespace } = proxy
  const byGateway = common.table('virtual services by gateway', [namespace, domainSuffix], () => {
    const found = new Map<string, EffectiveVirtualService[]>()
    for (const vs of visibleVirtualServices(snapshot, domainSuffix, namespace)) {
      for (const gateway of new Set(vs.gateways)) {
        const known = found.get(gateway)
        if (known === undefined) found.set(gateway, [vs])
        else known.push(vs)
      }
    }
    return found
  })
  return byGateway(gatewayName) ?? []
}

/** The same VirtualService gives the very same routes to every host of a server, and to every server of the gateway where its rules do not ask for the port. */
function routesOf(build: Build, vs: EffectiveVirtualService, { server, gatewayName }: BoundServer): readonly Route[] {
  const rules = { virtualService: vs, serviceOf: (host: string) => serviceFor(build, vs, host) }
  const byPort = build.memo.of('port matters', [vs], () => dependsOnPort(rules))
  const [port, tls] = byPort ? [server.port.number, server.tls !== undefined] : [0, false]
  return build.memo.of('gateway routes', [gatewayName, port, tls, vs], () =>
    httpRoutes({ build, port, gateway: gatewayName, tls, ...rules }),
  )
}

/** The service of a host as a VirtualService means it: that of its own namespace first. */
export function serviceFor(build: Build, vs: EffectiveVirtualService, hostname: string): MeshService | undefined {
  const own = build.snapshot
    .servicesOf(hostname)
    .find(
      (s) =>
        s.namespace === vs.resource.metadata.namespace &&
        exportedTo(s.exportTo, build.mesh.defaultServiceExportTo, s.namespace, build.proxy.namespace),
    )
  return own ?? build.view.serviceOf(hostname)
}

/** httpsRedirect needs no routes. A host for one namespace keeps its name, as in istiod: without a VirtualService nobody calls it so, and nothing is redirected. */
function addRedirects(bound: BoundServer, hosts: Map<string, Host>): void {
  const { server } = bound
  for (const text of hostsFrom(bound)) {
    const domain = text.toLowerCase()
    const host = hosts.get(domain)
    if (host === undefined) hosts.set(domain, { domain, port: server.port.number, routes: [], requireTls: true, owners: [] })
    else host.requireTls = true
  }
}

/** Hosts with the very same routes become one virtual host with several domains, named after the most specific. */
function collapse(hosts: ReadonlyMap<string, Host>): readonly { first: Host; domains: string[] }[] {
  const groups: Host[][] = []
  const byRoutes = new Map<readonly Route[] | undefined, Host[][]>()
  for (const host of hosts.values()) {
    const [first] = host.routes
    let begun = byRoutes.get(first)
    if (begun === undefined) byRoutes.set(first, (begun = []))
    const group = begun.find(([one]) => one !== undefined && isAlike(one, host))
    if (group === undefined) {
      const fresh = [host]
      begun.push(fresh)
      groups.push(fresh)
    } else group.push(host)
  }
  return groups.map((group) => {
    // Most are written in order.
    const inOrder = group.every((host, i) => i === 0 || bySpecificity((group[i - 1] as Host).domain, host.domain) <= 0)
    const sorted = inOrder ? group : group.sort((a, b) => bySpecificity(a.domain, b.domain))
    return { first: sorted[0] as Host, domains: sorted.map(({ domain }) => domain) }
  })
}

function isAlike(a: Host, b: Host): boolean {
  if (a.requireTls !== b.requireTls || a.port !== b.port || a.routes.length !== b.routes.length) return false
  return a.routes.every((routes, i) => routes === b.routes[i])
}

/** Of merged VirtualServices the older one's catch-all must not hide the younger one's rules. Servers of several ports have the very same list. */
function routesOfHost(build: Build, lists: readonly (readonly Route[])[]): readonly Route[] {
  const [only] = lists
  // Of a single one nothing comes after what matches everything.
  if (lists.length === 1 && only !== undefined) return writtenOnce(only)
  return build.memo.of('routes of a host', lists, () => {
    const all = lists.flat()
    const first = all.findIndex(isLast)
    return writtenOnce(first < 0 || first === all.length - 1 ? all : [...all.filter((r) => !isLast(r)), ...all.filter(isLast)])
  })
}

function isLast({ match }: Route): boolean {
  return match !== undefined && isCatchAll(match)
}

function mark(build: Build, routes: RouteConfiguration, servers: readonly BoundServer[]): RouteConfiguration {
  if (build.origins === NO_ORIGINS) return routes
  for (const { gateway, path } of servers) build.origins.mark(routes, sourceOf(gateway, path))
  return routes
}
