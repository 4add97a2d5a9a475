import type { MeshService, ServicePort } from '@heddle/config-model'
import { writtenOnce } from '@heddle/xds-types'
import type { FilterChain, FilterChainMatch, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { parseRange } from '../addresses.js'
import { standsAt } from '../ask.js'
import { type Build, endpointsOf, portSource, serviceAddress, vips } from '../build.js'
import { inFamily, listOf, otherFamily } from '../families.js'
import { defined, duration, NO_TIMEOUT } from '../message.js'
import { HTTP_PROXY_ROUTE, listenerName, statName } from '../names.js'
import { listenerProtocol } from '../protocol.js'
import { NO_ORIGINS, type Provenance, sourceOf } from '../provenance.js'
import { allNetworkExtensions } from '../traffic-extensions/filters.js'
import type { EgressListener } from '../view.js'
import { acceptedAtOnce, canBind, connectionBalance, LOOPBACK, socketAddress, WILDCARD } from './binding.js'
import {
  conflictOf,
  type ListenerEntry,
  matchesEverything,
  matchKey,
  mergeChains,
  type OutboundChain,
  type Serving,
} from './conflicts.js'
import { plainHttpAlpn } from './filter-chain-match.js'
import { httpManager } from './http-manager.js'
import { HTTP_INSPECTOR, TLS_INSPECTOR } from './listener-filters.js'
import { chainOf, tcpChains } from './outbound-tcp.js'
import { catchAllFilters } from './virtual-outbound.js'

/** Which listeners there are, and what each is for. */
export interface OutboundPlan {
  readonly entries: readonly ListenerEntry[]
  /** The route configurations that they ask for. */
  readonly routeNames: readonly string[]
}

/** A listener per port for HTTP, per address and port for everything else, for what the proxy sees. */
export function outboundListeners(build: Build): readonly Listener[] {
  const entries = build.memo.of('outbound entries', [], () => outboundPlan(build).entries.map((entry) => kept(build, entry)))
  return entries.map((entry) =>
    build.memo.shared('outbound listener', [listenerName(entry.bind, entry.port), entry], () => {
      const listener = finish(build, entry)
      if (build.origins !== NO_ORIGINS)
        for (const serving of entry.servings)
          for (const source of sourceOfServing(build, serving)) build.origins.mark(listener, source)
      return listener
    }),
  )
}

/** An entry of an earlier plan that says the same. */
function kept(build: Build, entry: ListenerEntry): ListenerEntry {
  if (!build.memo.lasting) return entry
  const { bind, address, alsoAt, port, bindToPort, protocol, chains } = entry
  const says = chains.flatMap((chain) => [matchKey(chain), ...chain.from])
  return build.memo.of('outbound entry', [bind, address, ...alsoAt, port, bindToPort, protocol, ...says], () => entry)
}

/** Where values last, each of its readers makes it, to be made anew only when what it took from it is another: two plans are never equal. */
export function outboundPlan(build: Build): OutboundPlan {
  return build.memo.lasting ? planOf(build) : build.memo.of('outbound plan', [], () => planOf(build))
}

function planOf(build: Build): OutboundPlan {
  const entries = new Map<string, ListenerEntry>()
  const add = (egress: EgressListener, service: MeshService, port: ServicePort, bind: string): void =>
    addService({ build, egress, service, port, bind, entries })
  for (const egress of build.view.egress) {
    const bindToPort = bindsToPort(build, egress)
    const bind = egress.bind !== '' ? egress.bind : bindToPort ? LOOPBACK : ''
    if (egress.port !== undefined) {
      if (!canBind(build, bindToPort, bind, egress.port.number, egress.port.protocol)) continue
      for (const service of egress.services) add(egress, service, egress.port, bind)
      continue
    }
    for (const entry of entries.values()) entry.locked = true
    for (const service of egress.services) {
      for (const port of service.ports) {
        if (!canBind(build, bindToPort, bind, port.number, port.protocol)) continue
        for (const address of addressesOf(build, service, port, bind)) add(egress, service, port, address)
      }
    }
  }
  const planned = [...entries.values()]
  return { entries: planned, routeNames: [...new Set(planned.flatMap(routesOf))] }
}

function routesOf({ chains }: ListenerEntry): string[] {
  return chains.flatMap(({ routes }) => (routes === undefined ? [] : [routes]))
}

function bindsToPort(build: Build, egress: EgressListener): boolean {
  return build.proxy.interceptionMode === 'NONE' || egress.captureMode === 'NONE' || egress.bind.startsWith('unix://')
}

/** '' is the service's own address; a ServiceEntry may have several. TCP to a headless service stands on the address of each of its pods but the proxy's own. */
function addressesOf(build: Build, service: MeshService, port: ServicePort, bind: string): readonly string[] {
  const perPod =
    bind === '' &&
    service.resolution === 'Passthrough' &&
    serviceAddress(service) === WILDCARD &&
    listenerProtocol(port.protocol) !== 'http'
  if (bind === '' && service.registry === 'External' && listenerProtocol(port.protocol) !== 'http' && vips(service).length > 1)
    return vips(service)
  if (!perPod || !build.features.headlessPodListeners) return [bind]
  const endpoints = endpointsOf(build, service, port.name)
  if (service.registry !== 'Kubernetes' && endpoints.length === 0 && service.selector === undefined) return [bind]
  return endpoints.map((e) => e.address).filter((a) => /^[\d.]+$|:/.test(a) && !standsAt(build.proxy, a))
}

interface Adding {
  readonly build: Build
  readonly egress: EgressListener
  readonly service: MeshService
  readonly port: ServicePort
  readonly bind: string
  readonly entries: Map<string, ListenerEntry>
}

function addService(adding: Adding): void {
  const { build, egress, service, port, entries } = adding
  const kind = port.protocol === 'HTTP_PROXY' ? 'http' : listenerProtocol(port.protocol)
  if (service.resolution === 'Alias' || kind === 'none') return
  const standing = standingOf(adding, kind)
  const { bind, cidr } = standing
  const key = listenerName(bind, port.number)
  const entry = entries.get(key)
  const conflict = conflictOf(entry, port.protocol)
  if (entry?.locked === false) entry.servings.push({ egress, service, port })
  if (conflict === 'ignore') return
  const tcp =
    kind === 'http'
      ? []
      : tcpChains({ build, service, port, bind, cidr, virtualServices: egress.virtualServicesFor(service.hostname) })
  const chains = kind === 'tcp' ? tcp : [...tcp, httpChain(adding, kind, standing)]
  if (entry !== undefined && conflict === 'merge') {
    mergeChains(entry, chains, port.protocol)
    return
  }
  const sniffed = kind === 'auto' || (kind === 'http' && bind === WILDCARD && port.protocol !== 'HTTP_PROXY')
  entries.set(key, {
    bind,
    address: standing.address,
    alsoAt: standing.alsoAt,
    port: port.number,
    bindToPort: bindsToPort(build, egress),
    protocol: sniffed ? 'Unsupported' : port.protocol,
    chains: [...chains],
    matches: new Set(chains.map(matchKey)),
    locked: false,
    servings: [...(entry?.servings ?? []), ...(entry === undefined ? [{ egress, service, port }] : [])],
  })
}

/** The object behind what a listener serves: the port of the service, or the Sidecar's listener. */
function sourceOfServing(build: Build, { egress, service, port }: Serving): Provenance[] {
  if (egress.port === undefined) return [portSource(build, service, port)]
  const { sidecar } = build.view
  return sidecar === undefined ? [] : [sourceOf(sidecar, `spec.egress[${egress.index}]`)]
}

interface Standing extends Pick<ListenerEntry, 'bind' | 'address' | 'alsoAt'> {
  readonly cidr: string | undefined
}

function standingOf({ build, egress, service, bind }: Adding, kind: 'http' | 'tcp' | 'auto'): Standing {
  if (egress.bind !== '') {
    const range = bind.includes('/') && !bind.startsWith('unix://')
    const at = range ? WILDCARD : bind
    return { bind: at, address: at, alsoAt: [], cidr: range ? bind : undefined }
  }
  const shared = (at: string, cidr?: string): Standing => ({
    bind: at,
    address: inFamily(build, at),
    alsoAt: otherFamily(build, at),
    cidr,
  })
  if (bind.includes('/')) return shared(WILDCARD, bind)
  if (bind !== '') return shared(bind)
  if (kind === 'http') return shared(WILDCARD)
  const own = serviceAddress(service)
  if (own.includes('/')) return shared(WILDCARD, own)
  const standing = shared(own)
  return service.registry === 'Kubernetes' && vips(service).length > 1
    ? { ...standing, alsoAt: vips(service).slice(1) }
    : standing
}

/** HTTP of a port, by RDS: one configuration for all services of the port, or one for a service whose protocol is detected on an address of its own. */
function httpChain({ build, service, port }: Adding, kind: 'http' | 'auto', { bind, address }: Standing): OutboundChain {
  const routes =
    port.number === 0 ? bind : kind === 'auto' && bind !== WILDCARD ? `${service.hostname}:${port.number}` : String(port.number)
  const sniff = kind === 'auto' || (bind === WILDCARD && port.protocol !== 'HTTP_PROXY')
  return {
    ...(sniff ? { alpn: plainHttpAlpn(build), transport: 'raw_buffer' as const } : {}),
    routes,
    from: ['http', routes, address, port.number, port.protocol],
    chain: () => {
      const manager = httpManager(build, {
        listener: 'outbound',
        statPrefix: statName(`outbound_${listenerName(address, port.number)}`),
        routes,
        port: port.number,
        protocol: port.protocol,
      })
      return chainOf(build, [...allNetworkExtensions(build, 'outbound', port.number), manager], undefined)
    },
  }
}

/** Istio's HTTP proxy listener (MeshConfig.proxyHttpPort or node metadata HTTP_PROXY_PORT): applications send requests for any host there. */
export function httpProxyListener(build: Build): Listener | undefined {
  const port = build.proxy.httpProxyPort ?? build.mesh.proxyHttpPort
  if (port === 0) return undefined
  const address = inFamily(build, LOOPBACK)
  const manager = httpManager(build, {
    listener: 'outbound',
    statPrefix: statName(`outbound_${listenerName(address, port)}`),
    routes: HTTP_PROXY_ROUTE,
    port,
    protocol: 'HTTP_PROXY',
    extra: { http_protocol_options: { allow_absolute_url: true } },
  })
  return finish(build, {
    bind: LOOPBACK,
    address,
    alsoAt: otherFamily(build, LOOPBACK),
    port,
    bindToPort: true,
    protocol: 'HTTP_PROXY',
    chains: [{ from: [], chain: () => chainOf(build, [manager], undefined) }],
    matches: new Set(),
    locked: true,
    servings: [],
  })
}

/** The listener of an entry. A chain that matches everything stands alone, or behind the others as their default. */
function finish(build: Build, entry: ListenerEntry): Listener {
  const everything = entry.chains.find(matchesEverything)?.chain()
  const matching = entry.chains.filter((c) => !matchesEverything(c))
  const sni = matching.some((c) => (c.sni ?? []).length > 0)
  const http = matching.some((c) => c.alpn !== undefined)
  const filters = [...(sni ? [TLS_INSPECTOR] : []), ...(http ? [HTTP_INSPECTOR] : [])]
  const alone = matching.length === 0 && everything !== undefined
  return defined({
    name: listenerName(entry.address, entry.port),
    address: socketAddress(entry.address, entry.port),
    additional_addresses: entry.alsoAt.length > 0 ? listOf(entry.alsoAt, entry.port) : undefined,
    connection_balance_config: connectionBalance(build, 'OUTBOUND'),
    traffic_direction: 'OUTBOUND' as const,
    bind_to_port: entry.bindToPort ? undefined : false,
    filter_chains: alone
      ? [everything]
      : matching.map((c) => {
          const chain = c.chain()
          return build.origins.copy(chain, { filter_chain_match: matchOf(c), ...chain })
        }),
    default_filter_chain: alone ? undefined : (everything ?? fallthrough(build)),
    listener_filters: filters.length === 0 ? undefined : filters,
    listener_filters_timeout: http ? duration(build.mesh.protocolDetectionTimeout) : NO_TIMEOUT,
    continue_on_listener_filters_timeout: true,
    max_connections_to_accept_per_socket_event: entry.bindToPort ? acceptedAtOnce(build) : undefined,
  })
}

/** Takes what no other chain of a listener takes to where unknown destinations go. */
function fallthrough(build: Build): FilterChain {
  return build.memo.of('passthrough chain', [], () =>
    writtenOnce({ name: 'PassthroughFilterChain', filter_chain_match: {}, filters: catchAllFilters(build) }),
  )
}

function matchOf(chain: OutboundChain): FilterChainMatch {
  return defined({
    application_protocols: chain.alpn,
    transport_protocol: chain.transport,
    server_names:
      chain.sni === undefined || chain.sni.length === 0 || chain.sni.includes('*') ? undefined : [...chain.sni].sort(),
    prefix_ranges: chain.subnets === undefined || chain.subnets.length === 0 ? undefined : [...chain.subnets].sort().map(range),
  })
}

function range(subnet: string): { address_prefix: string; prefix_len: number } {
  const { address: address_prefix, length } = parseRange(subnet) ?? { address: subnet, length: 32 }
  return { address_prefix, prefix_len: length }
}
