import {
  type EffectiveL4Match,
  type EffectiveVirtualService,
  isTls,
  MESH_GATEWAY,
  type MeshService,
  type ServicePort,
} from '@heddle/config-model'
import type { Filter, FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import { selectsProxy } from '../ask.js'
import { type Build, portSource, serviceAddress } from '../build.js'
import { dynamicSniFilter } from '../dynamic-dns.js'
import { isWildcard, shortNames } from '../hosts.js'
import { configMetadata, duration } from '../message.js'
import { outboundCluster } from '../names.js'
import { NO_ORIGINS, sourceOf } from '../provenance.js'
import { allNetworkExtensions } from '../traffic-extensions/filters.js'
import { WILDCARD } from './binding.js'
import type { OutboundChain } from './conflicts.js'
import { tcpChain, tcpRouteChain } from './tcp-proxy.js'

export interface TcpTarget {
  readonly build: Build
  readonly service: MeshService
  /** Of the listener: a service's own, or that of a Sidecar's egress. */
  readonly port: ServicePort
  readonly bind: string
  /** The service's address is a range: the listener stands on 0.0.0.0 and matches it. */
  readonly cidr: string | undefined
  /** Those of the service's host. */
  readonly virtualServices: readonly EffectiveVirtualService[]
}

/** Chains of a TCP or TLS port: those of VirtualServices first, then to the service itself where they leave room. */
export function tcpChains(target: TcpTarget): OutboundChain[] {
  return isTls(target.port.protocol) ? tlsChains(target, target.virtualServices) : plainChains(target, target.virtualServices)
}

function tlsChains(target: TcpTarget, virtualServices: readonly EffectiveVirtualService[]): OutboundChain[] {
  const chains: OutboundChain[] = []
  const seen = new Set<string>()
  // istiod keeps the subnets of one match for those after it that name none.
  let subnets: readonly string[] = target.cidr === undefined ? [] : [target.cidr]
  for (const vs of virtualServices) {
    for (const tls of vs.tls) {
      for (const [i, match] of tls.match.entries()) {
        if (!appliesHere(target, match)) continue
        if (match.destinationSubnets !== undefined && match.destinationSubnets.length > 0) subnets = match.destinationSubnets
        const key = JSON.stringify([match.sniHosts, match.destinationSubnets])
        if (seen.has(key)) continue
        seen.add(key)
        chains.push(routed(target, vs, tls.route, `${tls.path}.match[${i}]`, { sni: match.sniHosts ?? [], subnets }))
      }
    }
  }
  return chains.length > 0 ? chains : [direct(target, sniOf(target))]
}

/** SNI tells services on one address apart; where the listener stands on the service's own address there is nothing to tell. */
function sniOf({ build, service, bind, cidr }: TcpTarget): readonly string[] {
  const address = serviceAddress(service)
  const shared = cidr !== undefined || (address === WILDCARD && bind === WILDCARD)
  if (!shared && !(service.resolution === 'DynamicDNS' && isWildcard(service.hostname))) return []
  const domain = `${build.proxy.namespace}.svc.${build.domainSuffix}`
  const names = build.view.aliasesOf(service.hostname).flatMap((alias) => [alias, `${alias}.`, ...shortNames(alias, domain)])
  return [service.hostname, ...names].sort()
}

function plainChains(target: TcpTarget, virtualServices: readonly EffectiveVirtualService[]): OutboundChain[] {
  const chains: OutboundChain[] = []
  const base = target.cidr === undefined ? [] : [target.cidr]
  for (const vs of virtualServices) {
    for (const tcp of vs.tcp) {
      if (tcp.match.length === 0) return [...chains, routed(target, vs, tcp.route, tcp.path, { subnets: base })]
      const subnets: string[] = []
      for (const [i, match] of tcp.match.entries()) {
        if (!appliesHere(target, match)) continue
        if (match.destinationSubnets === undefined || match.destinationSubnets.length === 0)
          return [...chains, routed(target, vs, tcp.route, `${tcp.path}.match[${i}]`, { subnets: base })]
        subnets.push(...match.destinationSubnets)
      }
      if (subnets.length > 0) chains.push(withoutMetadata(target, routed(target, vs, tcp.route, tcp.path, { subnets })))
      if (subnets.length > 0 && JSON.stringify([...subnets].sort()) === JSON.stringify(base)) return chains
    }
  }
  return [...chains, direct(target, [])]
}

/** istiod does not name the VirtualService of a chain that is chosen by subnets. */
function withoutMetadata({ build }: TcpTarget, given: OutboundChain): OutboundChain {
  return {
    ...given,
    from: ['unnamed', ...given.from],
    chain: () => {
      const named = given.chain()
      const { metadata: _, ...chain } = named
      return build.origins.copy(named, chain)
    },
  }
}

/** What is known when translating: gateways or source labels, port, namespace. */
function appliesHere({ build, port }: TcpTarget, match: EffectiveL4Match): boolean {
  if (match.gateways !== undefined && match.gateways.length > 0 && !match.gateways.includes(MESH_GATEWAY)) return false
  if (!selectsProxy(match.sourceLabels, build.proxy)) return false
  if (match.port !== undefined && match.port !== 0 && match.port !== port.number) return false
  return match.sourceNamespace === undefined || match.sourceNamespace === '' || match.sourceNamespace === build.proxy.namespace
}

function routed(
  target: TcpTarget,
  vs: EffectiveVirtualService,
  route: Parameters<typeof tcpRouteChain>[3],
  path: string,
  match: { sni?: readonly string[]; subnets?: readonly string[] },
): OutboundChain {
  const { build, port } = target
  const { name, namespace } = vs.resource.metadata
  return {
    ...match,
    from: ['rule', vs, path, port],
    chain: () => {
      const filters = tcpRouteChain(build, 'outbound', port, route, `${name}.${namespace}`, (h) => build.view.serviceOf(h))
      const extensions = allNetworkExtensions(build, 'outbound', port.number)
      return build.origins.mark(
        chainOf(build, [...extensions, ...filters], configMetadata(vs.resource)),
        sourceOf(vs.resource, path),
      )
    },
  }
}

/** To the service. On a Sidecar's own port it is the service's only port, else the port of the listener. */
function direct({ build, service, port, cidr }: TcpTarget, sni: readonly string[]): OutboundChain {
  const number = service.ports.length === 1 ? (service.ports[0]?.number ?? port.number) : port.number
  return {
    sni,
    ...(cidr === undefined ? {} : { subnets: [cidr] }),
    from: ['service', service, port],
    chain: () => {
      const resolve = service.resolution === 'DynamicDNS' ? [dynamicSniFilter(build, service, number)] : []
      const unnamed = { number, name: '', protocol: port.protocol }
      const proxy = tcpChain(build, 'outbound', unnamed, outboundCluster(number, '', service.hostname))
      const extensions = allNetworkExtensions(build, 'outbound', port.number)
      const made = chainOf(build, [...extensions, ...resolve, ...proxy], undefined)
      return build.origins === NO_ORIGINS ? made : build.origins.mark(made, portSource(build, service, port))
    },
  }
}

/** Who comes with TLS must be done with its handshake in time. */
export function chainOf(
  { features }: Build,
  filters: readonly Filter[],
  metadata: FilterChain['metadata'] | undefined,
): FilterChain {
  const { handshakeTimeout: timeout } = features
  const chain: FilterChain = { filters }
  if (metadata !== undefined) chain.metadata = metadata
  if (timeout > 0) chain.transport_socket_connect_timeout = duration(timeout)
  return chain
}
