import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { parseRange } from '../addresses.js'
import type { Build } from '../build.js'
import { chainMatches } from '../listeners/filter-chain-match.js'
import { inboundChain } from '../listeners/inbound-chain.js'
import { type InboundPort, inboundPorts, passthroughPort } from '../listeners/inbound-port.js'
import { inspectors, ORIGINAL_DST } from '../listeners/listener-filters.js'
import { defined } from '../message.js'
import { listenerProtocol } from '../protocol.js'
import type { ServiceTarget } from '../service-targets.js'
import { MAIN_INTERNAL } from './hbone.js'
import { connectTerminateListener } from './hbone-listeners.js'

/** The listeners of a sidecar that takes tunnels: their end, and behind it what it serves. */
export function hboneListeners(build: Build, targets: readonly ServiceTarget[]): readonly Listener[] {
  const chains = [
    ...inboundPorts(build, targets).flatMap((port) => tunnelledChains(build, port)),
    ...tunnelledChains(build, passthroughPort(build, 0)),
  ]
  const internal: Listener = {
    name: MAIN_INTERNAL,
    internal_listener: {},
    traffic_direction: 'INBOUND',
    filter_chains: chains,
    listener_filters: [ORIGINAL_DST, ...inspectors(chains)],
    continue_on_listener_filters_timeout: true,
  }
  return [connectTerminateListener(build), internal]
}

/** The tunnel was mTLS, so nothing in it is; and it may only be for the workload itself. */
function tunnelledChains(build: Build, port: InboundPort): readonly FilterChain[] {
  const prefix_ranges = build.proxy.addresses.flatMap((address) => {
    const range = parseRange(address)
    return range === undefined ? [] : [{ address_prefix: range.address, prefix_len: range.length }]
  })
  return chainMatches(build, 'DISABLE', listenerProtocol(port.protocol)).map((match) => {
    const chain = inboundChain(build, { ...port, tunnelled: true }, match, undefined)
    const { transport_protocol: _, ...given } = chain.filter_chain_match ?? {}
    for (const source of port.sources) build.origins.mark(chain, source)
    return build.origins.copy(chain, { ...chain, filter_chain_match: defined({ ...given, prefix_ranges }) })
  })
}
