import type { MeshService } from '@heddle/config-model'
import type { Route, RouteConfiguration, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import { type BoundServer, hostsFor } from '../gateways.js'
import { bySpecificity, intersectHosts } from '../hosts.js'
import { identityOf } from '../memo.js'
import { hostWithPort } from '../names.js'
import { sourceOf } from '../provenance.js'
import { proxyHeaders } from '../proxy-headers.js'
import { visible } from '../selection.js'
import { type BoundVirtualService, visibleVirtualServices } from '../virtual-services.js'
import { httpRoutes } from './http-route.js'
import { configuration } from './outbound.js'

/** One route configuration per HTTP port of a gateway, one per HTTPS server. */
export function gatewayRoutes(build: Build, servers: readonly BoundServer[]): RouteConfiguration[] {
  const byName = new Map<string, BoundServer[]>()
  for (const server of servers)
    if (server.routeName !== '') byName.set(server.routeName, [...(byName.get(server.routeName) ?? []), server])
  return [...byName].map(([name, list]) => routeConfiguration(build, name, list))
}

interface Host {
  readonly domain: string
  readonly port: number
  readonly routes: Route[]
  requireTls: boolean
  readonly marks: Parameters<Build['origins']['mark']>[1][]
}

function routeConfiguration(build: Build, name: string, servers: readonly BoundServer[]): RouteConfiguration {
  const hosts = new Map<string, Host>()
  for (const bound of servers) {
    addRoutes(build, bound, hosts)
    if (bound.server.tls?.httpsRedirect === true) addRedirects(bound, hosts)
  }
  const attempts = proxyHeaders(build.proxyConfig, 'gateway').attemptCount ? { include_request_attempt_count: true } : {}
  if (hosts.size === 0) {
    const port = servers[0]?.server.port.number ?? 0
    return mark(build, configuration(name, [{ name: `blackhole:${port}`, domains: ['*'] }]), servers)
  }
  const collapsed = collapse(hosts).map(({ first, domains }): VirtualHost => {
    const made: VirtualHost = {
      name: hostWithPort(first.domain, first.port),
      domains,
      ...(first.routes.length === 0 ? {} : { routes: catchAllLast(first.routes) }),
      ...attempts,
      ...(first.requireTls ? { require_tls: 'ALL' } : {}),
    }
    for (const source of first.marks) build.origins.mark(made, source)
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
  for (const vs of virtualServicesOf(build, gatewayName)) {
    const served = intersectHosts(hostsFor(server, gateway.metadata.namespace, vs.resource.metadata.namespace), vs.hosts)
    if (served.length === 0) continue
    const routes = routesOf(build, vs, bound)
    if (routes.length === 0) continue
    for (const domain of served) {
      const host = hosts.get(domain)
      const source = sourceOf(vs.resource, 'spec.hosts')
      if (host === undefined)
        hosts.set(domain, {
          domain,
          port: server.port.number,
          routes: [...routes],
          requireTls: server.tls?.httpsRedirect === true,
          marks: [source],
        })
      else {
        host.routes.push(...routes)
        host.marks.push(source)
        if (server.tls?.httpsRedirect === true) host.requireTls = true
      }
    }
  }
}

export function virtualServicesOf(build: Build, gatewayName: string): readonly BoundVirtualService[] {
  const { snapshot, domainSuffix, proxy, common } = build
  const { namespace } = proxy
  const byGateway = common.table('virtual services by gateway', [namespace, domainSuffix], () => {
    const found = new Map<string, BoundVirtualService[]>()
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

/** The same VirtualService gives the very same routes to every host of a server. */
function routesOf(build: Build, vs: BoundVirtualService, { server, gatewayName }: BoundServer): Route[] {
  const tls = server.tls !== undefined
  return build.memo.of('gateway routes', [gatewayName, server.port.number, tls, vs], () =>
    httpRoutes({
      build,
      virtualService: vs,
      port: server.port.number,
      gateway: gatewayName,
      tls,
      serviceOf: (h) => serviceFor(build, vs, h),
    }),
  )
}

/** The service of a host as a VirtualService means it: that of its own namespace first. */
export function serviceFor(build: Build, vs: BoundVirtualService, hostname: string): MeshService | undefined {
  const own = build.snapshot
    .servicesOf(hostname)
    .find(
      (s) =>
        s.namespace === vs.resource.metadata.namespace &&
        visible(s.exportTo, build.mesh.defaultServiceExportTo, s.namespace, build.proxy.namespace),
    )
  return own ?? build.view.serviceOf(hostname)
}

/** httpsRedirect needs no routes. */
function addRedirects({ server }: BoundServer, hosts: Map<string, Host>): void {
  for (const text of server.hosts) {
    const domain = text.slice(text.indexOf('/') + 1).toLowerCase()
    const host = hosts.get(domain)
    if (host === undefined) hosts.set(domain, { domain, port: server.port.number, routes: [], requireTls: true, marks: [] })
    else host.requireTls = true
  }
}

/** Hosts with the very same routes become one virtual host with several domains, named after the first. */
function collapse(hosts: ReadonlyMap<string, Host>): readonly { first: Host; domains: string[] }[] {
  const out = new Map<string, { first: Host; domains: string[] }>()
  for (const host of [...hosts.values()].sort((a, b) => bySpecificity(a.domain, b.domain))) {
    const key = `${host.requireTls} ${host.port} ${host.routes.map(identityOf).join()}`
    const same = out.get(key)
    if (same === undefined) out.set(key, { first: host, domains: [host.domain] })
    else same.domains.push(host.domain)
  }
  return [...out.values()]
}

/** Of merged VirtualServices the older one's catch-all must not hide the younger one's rules. */
function catchAllLast(routes: readonly Route[]): Route[] {
  const isLast = ({ match }: Route): boolean =>
    match?.prefix === '/' && match.headers === undefined && match.query_parameters === undefined
  return [...routes.filter((r) => !isLast(r)), ...routes.filter(isLast)]
}

function mark(build: Build, routes: RouteConfiguration, servers: readonly BoundServer[]): RouteConfiguration {
  for (const { gateway, path } of servers) build.origins.mark(routes, sourceOf(gateway, path))
  return routes
}
