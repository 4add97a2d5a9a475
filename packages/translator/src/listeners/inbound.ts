import type { IstioIngressListener, PortProtocol, ServerTLSSettings } from '@heddle/config-model'
import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { type Build, portSource } from '../build.js'
import { defined, duration } from '../message.js'
import { INBOUND_PASSTHROUGH_CLUSTER, inboundCluster, listenerName, VIRTUAL_INBOUND } from '../names.js'
import { afterTlsTermination, listenerProtocol, parseProtocol } from '../protocol.js'
import { type Provenance, sourceOf } from '../provenance.js'
import type { ServiceTarget } from '../service-targets.js'
import { listenerAccessLogs } from '../telemetry/access-log.js'
import { statNameOf } from '../telemetry/stat-names.js'
import { canBind, socketAddress, WILDCARD } from './binding.js'
import { chainMatches, userTlsMatches } from './filter-chain-match.js'
import { inboundChain } from './inbound-chain.js'
import { inspectors, ORIGINAL_DST, ORIGINAL_SRC } from './listener-filters.js'

/** One port that the workload serves, from a Service or from a Sidecar's ingress. */
export interface InboundPort {
  readonly bind: string
  /** Port of the workload. */
  readonly targetPort: number
  /** Port by which clients call it: it stands in names of routes and traces. */
  readonly port: number
  readonly protocol: PortProtocol
  readonly cluster: string
  /** Of the cluster and of TCP chains, by MeshConfig.inboundClusterStatName; undefined: the cluster's name. */
  readonly statName: string | undefined
  /** Who it is for traces: a service, or `sidecar.namespace`. */
  readonly hostname: string
  /** A listener of its own, instead of chains of virtualInbound. */
  readonly bindToPort: boolean
  readonly tls: ServerTLSSettings | undefined
  /** The chains that take what no port takes. */
  readonly passthrough: boolean
  readonly sources: readonly Provenance[]
}

export interface Inbound {
  readonly listeners: readonly Listener[]
  /** Chains for the listener that redirected traffic reaches. */
  readonly virtualChains: readonly FilterChain[]
}

export function inbound(build: Build, targets: readonly ServiceTarget[]): Inbound {
  const listeners: Listener[] = []
  const virtualChains: FilterChain[] = []
  for (const port of inboundPorts(build, targets)) {
    const chains = chainsOf(build, port)
    if (port.bindToPort)
      listeners.push(
        markAll(
          build,
          inboundListener(build, listenerName(port.bind, port.targetPort), port.bind, port.targetPort, true, chains),
          port.sources,
        ),
      )
    else virtualChains.push(...chains)
  }
  return { listeners, virtualChains }
}

/** The chains of a port: one for each kind of connection that its mTLS mode lets in. */
export function chainsOf(build: Build, given: InboundPort): FilterChain[] {
  const { mode, sources } = build.peers.ofWorkload(build.proxy.namespace, build.proxy.labels).forPort(given.targetPort)
  // A certificate of the user's own needs mTLS to be off.
  const own = given.tls !== undefined && mode === 'DISABLE'
  const port = own ? { ...given, protocol: afterTlsTermination(given.protocol) } : given
  const matches = own ? userTlsMatches(listenerProtocol(port.protocol)) : chainMatches(mode, listenerProtocol(port.protocol))
  return matches.map((match) =>
    markAll(build, inboundChain(build, port, match, own ? given.tls : undefined), [...port.sources, ...sources]),
  )
}

/** Sidecar ingress if there is any, else the services in front of the workload; not in capture mode NONE, where the application has its ports itself. */
export function inboundPorts(build: Build, targets: readonly ServiceTarget[]): InboundPort[] {
  const ingress = build.view.sidecar?.spec.ingress ?? []
  const none = build.proxy.interceptionMode === 'NONE'
  const ports =
    ingress.length > 0
      ? ingress.map((listener, i) => ingressPort(build, listener, i))
      : none
        ? []
        : targets.map((t) => servicePort(build, t))
  const byPort = new Map<number, InboundPort>()
  for (const port of ports) {
    if (!byPort.has(port.targetPort) && canBind(build, port.bindToPort, port.bind, port.targetPort, port.protocol))
      byPort.set(port.targetPort, port)
  }
  return [...byPort.values()].sort((a, b) => a.targetPort - b.targetPort)
}

function ingressPort(build: Build, listener: IstioIngressListener, index: number): InboundPort {
  const sidecar = build.view.sidecar
  const { number } = listener.port
  const mode = listener.captureMode ?? 'DEFAULT'
  return {
    bind: listener.bind === undefined || listener.bind === '' ? (build.proxy.addresses[0] ?? WILDCARD) : listener.bind,
    targetPort: number,
    port: number,
    protocol: parseProtocol(listener.port.protocol),
    cluster: inboundCluster(number),
    statName: statNameOf(build.mesh.inboundClusterStatName, undefined, { number, name: listener.port.name ?? '' }),
    hostname: `${sidecar?.metadata.name}.${sidecar?.metadata.namespace}`,
    bindToPort: mode === 'DEFAULT' ? build.proxy.interceptionMode === 'NONE' : mode === 'NONE',
    tls: listener.tls,
    passthrough: false,
    sources: sidecar === undefined ? [] : [sourceOf(sidecar, `spec.ingress[${index}]`)],
  }
}

function servicePort(build: Build, { service, port, targetPort }: ServiceTarget): InboundPort {
  return {
    bind: WILDCARD,
    targetPort,
    port: port.number,
    protocol: port.protocol,
    cluster: inboundCluster(targetPort),
    statName: statNameOf(build.mesh.inboundClusterStatName, service, port),
    hostname: service.hostname,
    bindToPort: build.proxy.interceptionMode === 'NONE',
    tls: undefined,
    passthrough: false,
    sources: [portSource(build, service, port)],
  }
}

/** What reaches the workload on a port that nobody declared: sniffed and passed on. */
export function passthroughPort(build: Build, targetPort: number): InboundPort {
  return {
    bind: WILDCARD,
    targetPort,
    port: 0,
    protocol: 'Unsupported',
    cluster: INBOUND_PASSTHROUGH_CLUSTER,
    statName: statNameOf(build.mesh.inboundClusterStatName, undefined, { number: 0, name: '' }),
    hostname: '',
    bindToPort: false,
    tls: undefined,
    passthrough: true,
    sources: [],
  }
}

export function inboundListener(
  build: Build,
  name: string,
  address: string,
  port: number,
  bindToPort: boolean,
  chains: readonly FilterChain[],
): Listener {
  const { interceptionMode } = build.proxy
  const tproxy = !bindToPort && interceptionMode === 'TPROXY'
  const filters = [...(bindToPort ? [] : [ORIGINAL_DST]), ...(tproxy ? [ORIGINAL_SRC] : []), ...inspectors(chains)]
  return defined({
    name,
    address: socketAddress(address, port),
    traffic_direction: 'INBOUND' as const,
    access_log: listenerAccessLogs(build),
    filter_chains: chains,
    listener_filters: filters.length === 0 ? undefined : filters,
    listener_filters_timeout: duration(build.mesh.protocolDetectionTimeout),
    continue_on_listener_filters_timeout: true,
    max_connections_to_accept_per_socket_event: 1,
    transparent: tproxy ? true : undefined,
  })
}

/** virtualInbound, to which everything that comes in is redirected. */
export function virtualInboundListener(build: Build, chains: readonly FilterChain[]): Listener {
  return inboundListener(build, VIRTUAL_INBOUND, WILDCARD, build.mesh.proxyInboundListenPort, false, chains)
}

function markAll<T extends object>(build: Build, message: T, sources: readonly Provenance[]): T {
  for (const source of sources) build.origins.mark(message, source)
  return message
}
