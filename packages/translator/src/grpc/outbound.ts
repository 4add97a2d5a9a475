import type { MeshService, ServicePort } from '@heddle/config-model'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { type Build, portSource, serviceAddress, vips } from '../build.js'
import { listOf } from '../families.js'
import { hostSubsetOf, isWildcard, shortNames } from '../hosts.js'
import { socketAddress } from '../listeners/binding.js'
import { defined, typed } from '../message.js'
import { bracketed, hostWithPort, outboundCluster } from '../names.js'
import { proxyHeaders } from '../proxy-headers.js'
import { egressListenerFor } from '../routes/outbound.js'
import { outboundVirtualHosts } from '../routes/virtual-hosts.js'
import { type ClientTarget, hostsOf, parseTarget, SERVER_LISTENER_PREFIX } from './listener-names.js'

export const ADS = { ads: {} }

/** A service's port, and every name by which the client asked for it. */
interface CalledPort {
  readonly service: MeshService
  readonly port: ServicePort
  readonly names: readonly string[]
}

/** API listeners of what the client calls, and the route configurations that they name. */
export function grpcOutbound(build: Build): { listeners: Listener[]; routes: RouteConfiguration[] } {
  const called = calledPorts(build)
  return {
    listeners: called.flatMap((c) => c.names.map((host) => apiListener(build, c, host))),
    routes: called.map((c) => routesFor(build, c)),
  }
}

/** What was asked for by name; a client that names nothing may call everything, by all the names that a proxy would know. */
function calledPorts(build: Build): CalledPort[] {
  const { resources: asked, namespace, dnsDomain } = build.proxy
  const targets = asked?.filter((name) => !name.startsWith(SERVER_LISTENER_PREFIX)).map(parseTarget)
  const found: CalledPort[] = []
  for (const service of build.view.services) {
    const named = targets?.filter(({ host }) => hostsOf(host, namespace, dnsDomain).includes(service.hostname))
    for (const port of service.ports) {
      const names =
        asked === undefined ? [service.hostname, ...shortNames(service.hostname, dnsDomain)] : namesFor(named ?? [], port)
      if (names.length > 0) found.push({ service, port, names })
    }
  }
  return found
}

/** Who asks for one port of a service by a name gets that port by all the names that it asks for. */
function namesFor(named: readonly ClientTarget[], port: ServicePort): string[] {
  const asked = named.some((t) => t.port === undefined || t.port === port.number)
  return asked ? [...new Set(named.map((t) => t.host))].sort() : []
}

/** Such listeners bind nothing: the library takes the manager out of them. */
function apiListener(build: Build, { service, port }: CalledPort, host: string): Listener {
  const manager = typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    rds: { route_config_name: outboundCluster(port.number, '', service.hostname), config_source: ADS },
    http_filters: [
      { name: 'envoy.filters.http.fault', typed_config: typed('envoy.extensions.filters.http.fault.v3.HTTPFault') },
      { name: 'envoy.filters.http.router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router') },
    ],
  })
  const others = service.registry === 'Kubernetes' ? vips(service).slice(1) : []
  const listener: Listener = {
    name: hostWithPort(host, port.number),
    address: socketAddress(serviceAddress(service), port.number),
    ...(others.length > 0 ? { additional_addresses: listOf(others, port.number) } : {}),
    api_listener: { api_listener: manager },
  }
  return build.origins.mark(listener, portSource(build, service, port))
}

function routesFor(build: Build, { service, port }: CalledPort): RouteConfiguration {
  const listener = egressListenerFor(build, port.number)
  const { attemptCount } = proxyHeaders(build.proxyConfig, 'outbound')
  const hosts =
    listener === undefined ? [] : outboundVirtualHosts(build, listener, port.number, { attemptCount, withPorts: true })
  const own = hosts.filter((host) => (host.domains ?? []).some((d) => domainCovers(d, service.hostname, port.number)))
  return defined({
    name: outboundCluster(port.number, '', service.hostname),
    virtual_hosts: own.length === 0 ? undefined : own,
  })
}

function domainCovers(domain: string, hostname: string, port: number): boolean {
  const wanted = bracketed(hostname)
  if (domain === wanted || domain === hostWithPort(hostname, port)) return true
  const { host, port: own } = parseTarget(domain)
  if (own !== undefined && own !== port) return false
  return host === wanted || (isWildcard(host) && hostSubsetOf(hostname, host))
}
