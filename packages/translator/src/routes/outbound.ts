import type { RouteConfiguration, VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import { type Build, portSource } from '../build.js'
import { HTTP_PROXY_ROUTE } from '../names.js'
import { NO_ORIGINS, sourceOf } from '../provenance.js'
import { proxyHeaders } from '../proxy-headers.js'
import type { EgressListener } from '../view.js'
import { catchAllHost } from './default-route.js'
import { outboundVirtualHosts } from './virtual-hosts.js'

/** Direct responses may be as large as validation lets them: 1 MiB, where Envoy's own limit is 4 KiB. */
export const MAX_DIRECT_RESPONSE: number = 1024 * 1024

/** The route configurations that the proxy's outbound listeners ask for by name. */
export function outboundRoutes(build: Build, names: readonly string[]): RouteConfiguration[] {
  return names.map((name) =>
    build.memo.of('route configuration', [name], () =>
      build.memo.intern('route configuration', name, outboundRoute(build, name)),
    ),
  )
}

/** The virtual hosts of a port, from which all its route configurations choose. */
function hostsOn(build: Build, number: number): readonly VirtualHost[] {
  return build.memo.of('virtual hosts of port', [number], () => {
    const listener = egressListenerFor(build, number)
    if (listener === undefined) return []
    const { attemptCount } = proxyHeaders(build.proxyConfig, 'outbound')
    return outboundVirtualHosts(build, listener, servedPort(listener, number), { attemptCount, withPorts: false })
  })
}

/** 0 on the HTTP proxy. */
function servedPort(listener: EgressListener, number: number): number {
  return listener.port?.protocol === 'HTTP_PROXY' ? 0 : number
}

function domainsOf(hosts: readonly VirtualHost[]): ReadonlyMap<string, readonly VirtualHost[]> {
  const found = new Map<string, VirtualHost[]>()
  for (const host of hosts) {
    for (const domain of host.domains ?? []) {
      const known = found.get(domain)
      if (known === undefined) found.set(domain, [host])
      else known.push(host)
    }
  }
  return found
}

/** `80`, `http_proxy`, or `host:80` for a port whose protocol is detected: then it serves that host alone. */
function outboundRoute(build: Build, name: string): RouteConfiguration {
  if (name.startsWith('unix://')) return socketRoute(build, name)
  const colon = name.lastIndexOf(':')
  const number = name === HTTP_PROXY_ROUTE ? 0 : Number(name.slice(colon + 1))
  const listener = egressListenerFor(build, number)
  if (listener === undefined) return configuration(name, [])
  if (colon < 0) {
    const { attemptCount } = proxyHeaders(build.proxyConfig, 'outbound')
    const hosts = [...hostsOn(build, number), catchAllHost(build, attemptCount)]
    return marked(build, listener, servedPort(listener, number), configuration(name, hosts))
  }
  const byDomain = build.memo.table('virtual hosts by domain', [number], () => domainsOf(hostsOn(build, number)))
  const own = byDomain(name.slice(0, colon)) ?? []
  return configuration(
    name,
    own.map((vh) => (own.length === 1 ? build.origins.copy(vh, { ...vh, domains: ['*'] }) : vh)),
  )
}

/** Of a listener on a Unix socket, which serves every port. */
function socketRoute(build: Build, name: string): RouteConfiguration {
  const listener = build.view.egress.find(({ bind }) => bind === name)
  if (listener === undefined) return configuration(name, [])
  const { attemptCount } = proxyHeaders(build.proxyConfig, 'outbound')
  const hosts = outboundVirtualHosts(build, listener, 0, { attemptCount, withPorts: false })
  return marked(build, listener, 0, configuration(name, [...hosts, catchAllHost(build, attemptCount)]))
}

/** Which hosts there are comes from services and VirtualServices. */
function marked(build: Build, listener: EgressListener, port: number, routes: RouteConfiguration): RouteConfiguration {
  if (build.origins === NO_ORIGINS) return routes
  for (const service of listener.servicesOn(port).values())
    for (const one of service.ports) build.origins.mark(routes, portSource(build, service, one), 'virtual_hosts')
  for (const { resource, http } of listener.virtualServices)
    if (http.length > 0) build.origins.mark(routes, sourceOf(resource, 'spec.hosts'), 'virtual_hosts')
  return routes
}

/** The egress listener of a port, or the catch-all. */
export function egressListenerFor(build: Build, port: number): EgressListener | undefined {
  return (
    build.view.egress.find((l) => l.port !== undefined && l.port.number === port) ??
    build.view.egress.find((l) => l.port === undefined)
  )
}

export function configuration(name: string, hosts: readonly VirtualHost[]): RouteConfiguration {
  return {
    name,
    virtual_hosts: hosts,
    validate_clusters: false,
    max_direct_response_body_size_bytes: MAX_DIRECT_RESPONSE,
    ignore_port_in_host_matching: true,
  }
}
