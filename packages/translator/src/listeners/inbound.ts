import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { dualAddresses, inFamily } from '../families.js'
import { defined, duration } from '../message.js'
import { listenerName, VIRTUAL_INBOUND } from '../names.js'
import { afterTlsTermination, listenerProtocol } from '../protocol.js'
import type { Provenance } from '../provenance.js'
import { strictRehearsal } from '../security/strict-rehearsal.js'
import type { ServiceTarget } from '../service-targets.js'
import { listenerAccessLogs } from '../telemetry/access-log.js'
import { acceptedAtOnce, connectionBalance, socketAddress, WILDCARD } from './binding.js'
import { chainMatches, userTlsMatches } from './filter-chain-match.js'
import { inboundChain } from './inbound-chain.js'
import { type InboundPort, inboundPorts } from './inbound-port.js'
import { inspectors, ORIGINAL_DST, ORIGINAL_SRC } from './listener-filters.js'

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
  const matches = own
    ? userTlsMatches(listenerProtocol(port.protocol))
    : chainMatches(build, mode, listenerProtocol(port.protocol))
  const rehearsal = mode === 'PERMISSIVE' ? strictRehearsal(build, given.targetPort) : []
  return matches.map((match) => {
    const chain = inboundChain(build, port, match, own ? given.tls : undefined)
    const filters = match.mtls === undefined ? [...rehearsal, ...(chain.filters ?? [])] : chain.filters
    return markAll(build, rehearsal.length === 0 ? chain : { ...chain, filters }, [...port.sources, ...sources])
  })
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
    additional_addresses: bindToPort ? undefined : dualAddresses(build, WILDCARD, port),
    connection_balance_config: connectionBalance(build, 'INBOUND'),
    traffic_direction: 'INBOUND' as const,
    access_log: listenerAccessLogs(build, 'inbound'),
    filter_chains: chains,
    listener_filters: filters.length === 0 ? undefined : filters,
    listener_filters_timeout: duration(build.mesh.protocolDetectionTimeout),
    continue_on_listener_filters_timeout: true,
    max_connections_to_accept_per_socket_event: acceptedAtOnce(build),
    transparent: tproxy ? true : undefined,
  })
}

/** virtualInbound, to which everything that comes in is redirected. */
export function virtualInboundListener(build: Build, chains: readonly FilterChain[]): Listener {
  return inboundListener(build, VIRTUAL_INBOUND, inFamily(build, WILDCARD), build.mesh.proxyInboundListenPort, false, chains)
}

function markAll<T extends object>(build: Build, message: T, sources: readonly Provenance[]): T {
  for (const source of sources) build.origins.mark(message, source)
  return message
}
