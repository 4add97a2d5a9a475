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
  const ports = new Map<number, PortHosts | undefined>()
  const hostsOf = (port: number): PortHosts | undefined => {
    if (!ports.has(port)) ports.set(port, portHosts(build, port))
    return ports.get(port)
  }
  return names.map((name) => build.memo.intern('route configuration', name, outboundRoute(build, name, hostsOf)))
}

/** The virtual hosts of a port, from which all its route configurations choose. */
interface PortHosts {
  readonly listener: EgressListener
  readonly port: number
  readonly attemptCount: boolean
  readonly all: readonly VirtualHost[]
  /** Those that have a domain. */
  with(domain: string): readonly VirtualHost[]
}

function portHosts(build: Build, number: number): PortHosts | undefined {
  const listener = egressListenerFor(build, number)
  if (listener === undefined) return undefined
  const { attemptCount } = proxyHeaders(build.proxyConfig, 'outbound')
  const port = listener.port?.protocol === 'HTTP_PROXY' ? 0 : number
  const all = outboundVirtualHosts(build, listener, port, { attemptCount, withPorts: false })
  let byDomain: ReadonlyMap<string, readonly VirtualHost[]> | undefined
  return { listener, port, attemptCount, all, with: (domain) => (byDomain ??= domainsOf(all)).get(domain) ?? [] }
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
function outboundRoute(build: Build, name: string, hostsOf: (port: number) => PortHosts | undefined): RouteConfiguration {
  if (name.startsWith('unix://')) return socketRoute(build, name)
  const colon = name.lastIndexOf(':')
  const host = colon < 0 ? undefined : name.slice(0, colon)
  const hosts = hostsOf(name === HTTP_PROXY_ROUTE ? 0 : Number(name.slice(colon + 1)))
  if (hosts === undefined) return configuration(name, [])
  const { listener, port, attemptCount, all } = hosts
  if (host === undefined) return marked(build, listener, port, configuration(name, [...all, catchAllHost(build, attemptCount)]))
  const own = hosts.with(host)
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
