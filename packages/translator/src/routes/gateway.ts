import { type EffectiveVirtualService, exportedTo, type MeshService } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { Route, RouteConfiguration, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import { type BoundServer, hostsFor, hostsFrom } from '../gateways.js'
import { intersectHosts } from '../hosts.js'
import { hostWithPort } from '../names.js'
import { NO_ORIGINS, sourceOf } from '../provenance.js'
import { proxyHeaders } from '../proxy-headers.js'
import { visibleVirtualServices } from '../virtual-services.js'
import { collapse, emptyRow, type Host, longerRow, membersOf, type Row } from './gateway-hosts.js'
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
  const { attemptCount } = proxyHeaders(build.proxyConfig, 'gateway')
  const scope: GatewayScope = { build, attemptCount, boundTo: virtualServicesByGateway(build) }
  return [...byName].map(([name, list]) => routeConfiguration(scope, name, list))
}

/** What all route configurations of a gateway ask for. */
interface GatewayScope {
  readonly build: Build
  /** Include x-envoy-attempt-count. */
  readonly attemptCount: boolean
  boundTo(gatewayName: string): readonly EffectiveVirtualService[]
}

function routeConfiguration(scope: GatewayScope, name: string, servers: readonly BoundServer[]): RouteConfiguration {
  const { build, attemptCount } = scope
  const hosts = new Map<string, Host>()
  const noRoutes = emptyRow()
  for (const bound of servers) {
    for (const vs of scope.boundTo(bound.gatewayName)) addRoutes(build, bound, vs, noRoutes, hosts)
    if (bound.server.tls?.httpsRedirect === true) addRedirects(bound, noRoutes, hosts)
  }
  if (hosts.size === 0) {
    const port = servers[0]?.server.port.number ?? 0
    return mark(build, configuration(name, [{ name: `blackhole:${port}`, domains: ['*'] }]), servers)
  }
  const collapsed = collapse(hosts.values()).map(({ first, domains }): VirtualHost => {
    const routes = routesOfHost(build, first.row)
    const made: VirtualHost = { name: hostWithPort(first.domain, first.port), domains }
    if (routes.length > 0) made.routes = routes
    if (attemptCount) made.include_request_attempt_count = true
    if (first.requireTls) made.require_tls = 'ALL'
    if (build.origins !== NO_ORIGINS)
      for (const { owner } of membersOf(first.row))
        if (owner !== undefined) build.origins.mark(made, sourceOf(owner.resource, 'spec.hosts'))
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

/** VirtualServices of one host share its virtual host. */
function addRoutes(build: Build, bound: BoundServer, vs: EffectiveVirtualService, noRoutes: Row, hosts: Map<string, Host>): void {
  const { server, gateway } = bound
  const served = intersectHosts(hostsFor(server, gateway.metadata.namespace, vs.resource.metadata.namespace), vs.hosts)
  if (served.length === 0) return
  const routes = routesOf(build, vs, bound)
  if (routes.length === 0) return
  const requireTls = server.tls?.httpsRedirect === true
  for (const domain of served) {
    const host = hosts.get(domain)
    if (host === undefined)
      hosts.set(domain, { domain, port: server.port.number, row: longerRow(noRoutes, vs, routes), requireTls })
    else {
      host.row = longerRow(host.row, vs, routes)
      if (requireTls) host.requireTls = true
    }
  }
}

/** The VirtualServices of each gateway, oldest first. */
export function virtualServicesByGateway(build: Build): GatewayScope['boundTo'] {
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
  return (gatewayName) => byGateway(gatewayName) ?? []
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
function addRedirects(bound: BoundServer, noRoutes: Row, hosts: Map<string, Host>): void {
  const { server } = bound
  for (const text of hostsFrom(bound)) {
    const domain = text.toLowerCase()
    const host = hosts.get(domain)
    if (host === undefined) hosts.set(domain, { domain, port: server.port.number, row: noRoutes, requireTls: true })
    else host.requireTls = true
  }
}

/** Of merged VirtualServices the older one's catch-all must not hide the younger one's rules. Servers of several ports have the very same list. */
function routesOfHost(build: Build, row: Row): readonly Route[] {
  // Of a single one nothing comes after what matches everything.
  if (row.before !== undefined && row.before.before === undefined) return writtenOnce(row.routes)
  const lists = membersOf(row).map(({ routes }) => routes)
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
