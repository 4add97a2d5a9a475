import { type EffectiveVirtualService, isTls } from '@heddle/config-model'
import type { FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { type BoundServer, hostsFor, overlaps, passesThrough, sniHosts, takeHosts } from '../gateways.js'
import { hostSubsetOf } from '../hosts.js'
import { sniOfCluster } from '../names.js'
import { exchangeFilters } from '../peer-exchange.js'
import { sourceOf, sourceOfKey } from '../provenance.js'
import { serviceFor, virtualServicesByGateway } from '../routes/gateway.js'
import { userServerSocket } from '../security/server-tls.js'
import { tcpAuthorizationFilters } from '../security/tcp-authorization.js'
import { statNameOf } from '../telemetry/stat-names.js'
import { chainOf } from './outbound-tcp.js'
import { connectionSettings, singleChain, tcpRouteChain } from './tcp-proxy.js'

/**
 * Chains of a server that is not HTTP: TCP and terminated TLS by `tcp` rules, TLS passed through by the SNI of `tls` rules. None without rules.
 * @param taken SNI that rules for the port have, and on which address
 */
export function gatewayTcpChains(build: Build, bound: BoundServer, taken: Map<string, string>): FilterChain[] {
  const { server } = bound
  if (server.tls?.mode === 'AUTO_PASSTHROUGH') return autoPassthrough(build, bound)
  if (server.tls !== undefined && passesThrough(server)) return passthrough(build, bound, taken)
  if (isTls(bound.protocol) && server.tls === undefined) return passthrough(build, bound, taken)
  return terminated(build, bound)
}

function terminated(build: Build, bound: BoundServer): FilterChain[] {
  const { server } = bound
  for (const { vs, hosts } of virtualServices(build, bound)) {
    if (hosts.length === 0) continue
    for (const tcp of vs.tcp) {
      const at = tcp.match.findIndex(
        (m) =>
          (m.port === undefined || m.port === server.port.number) &&
          (m.gateways === undefined || m.gateways.includes(bound.gatewayName)),
      )
      if (tcp.match.length > 0 && at < 0) continue
      const chain = routeChain(build, bound, vs, tcp.route, tcp.path)
      if (server.tls === undefined) return [chain]
      const names = sniHosts(server)
      return [
        {
          ...(names.includes('*') ? {} : { filter_chain_match: { server_names: names } }),
          ...chain,
          transport_socket: userServerSocket(build, server.tls, 'tcp', true),
        },
      ]
    }
  }
  return []
}

function passthrough(build: Build, bound: BoundServer, taken: Map<string, string>): FilterChain[] {
  const chains: FilterChain[] = []
  for (const { vs } of virtualServices(build, bound)) {
    for (const tls of vs.tls) {
      for (const match of tls.match) {
        if (match.port !== undefined && match.port !== bound.server.port.number) continue
        if (match.gateways !== undefined && !match.gateways.includes(bound.gatewayName)) continue
        const names = [...(match.sniHosts ?? [])].sort()
        if (!takeHosts(taken, names, bound.bind)) continue
        chains.push({
          ...(names.includes('*') ? {} : { filter_chain_match: { server_names: names } }),
          ...routeChain(build, bound, vs, tls.route, tls.path),
        })
      }
    }
  }
  return chains
}

function virtualServices(build: Build, bound: BoundServer): { vs: EffectiveVirtualService; hosts: readonly string[] }[] {
  return virtualServicesByGateway(build)(bound.gatewayName)
    .map((vs) => ({ vs, hosts: hostsFor(bound.server, bound.gateway.metadata.namespace, vs.resource.metadata.namespace) }))
    .filter(({ vs, hosts }) => overlaps(vs.hosts, hosts))
}

function routeChain(
  build: Build,
  bound: BoundServer,
  vs: EffectiveVirtualService,
  route: Parameters<typeof tcpRouteChain>[3],
  path: string,
): FilterChain {
  const { name, namespace } = vs.resource.metadata
  const { number, name: portName = '' } = bound.server.port
  const port = { number, name: portName, protocol: bound.protocol }
  const filters = tcpRouteChain(build, 'gateway', port, route, `${name}.${namespace}`, (h) => serviceFor(build, vs, h))
  const exchange = bound.server.tls?.mode === 'ISTIO_MUTUAL' ? exchangeFilters(build) : []
  const chain = chainOf(
    build,
    [...exchange, ...tcpAuthorizationFilters(build, 'gateway', bound.server.port.number), ...filters],
    undefined,
  )
  return build.origins.mark(chain, sourceOf(vs.resource, path))
}

/** East-west: clients of other networks name the cluster they mean in the SNI of their mTLS, which goes through untouched, and past the gateway's own policies. */
function autoPassthrough(build: Build, bound: BoundServer): FilterChain[] {
  const hosts = bound.server.hosts.map((h) => h.slice(h.indexOf('/') + 1))
  const chains: FilterChain[] = []
  for (const service of build.view.services) {
    if (service.meshExternal || !hosts.some((h) => hostSubsetOf(service.hostname, h))) continue
    for (const port of service.ports) {
      if (port.protocol === 'UDP') continue
      const rule = build.rules.of(service)
      for (const subset of ['', ...(rule?.subsets ?? []).map((s) => s.subset.name)]) {
        const cluster = sniOfCluster(port.number, subset, service.hostname)
        const filters = [
          ...singleChain(build, 'gateway', port.protocol, cluster, {
            stat_prefix: statNameOf(build.mesh.outboundClusterStatName, service, port, subset) ?? cluster,
            ...connectionSettings(rule, subset),
          }),
        ]
        chains.push(
          build.origins.mark(
            {
              filter_chain_match: {
                server_names: [cluster],
                application_protocols: ['istio', 'istio-peer-exchange', 'istio-http/1.0', 'istio-http/1.1', 'istio-h2'],
              },
              ...chainOf(build, filters, undefined),
            },
            sourceOfKey(service.source),
          ),
        )
      }
    }
  }
  return chains
}
