import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { BLACK_HOLE_CLUSTER } from '../names.js'
import { exchangeFilters } from '../peer-exchange.js'
import { statsFilters } from '../telemetry/stats.js'
import { chainsOf, virtualInboundListener } from './inbound.js'
import { passthroughPort } from './inbound-port.js'
import { silentTcpProxy } from './tcp-proxy.js'

/** Where redirected inbound traffic arrives: the chains of known ports behind those that take everything else. */
export function virtualInbound(build: Build, portChains: readonly FilterChain[]): Listener {
  const policy = build.peers.ofWorkload(build.proxy.namespace, build.proxy.labels)
  // A port that only portLevelMtls names has catch-all chains of its own; a declared port has its own chains anyway.
  const ports = [
    0,
    ...[...policy.ports]
      .filter(([port]) => !portChains.some((c) => c.filter_chain_match?.destination_port === port))
      .map(([port]) => port)
      .sort((a, b) => a - b),
  ]
  return virtualInboundListener(build, [
    blackhole(build),
    ...ports.flatMap((port) => chainsOf(build, passthroughPort(build, port))),
    ...portChains,
  ])
}

/** Calls to the listener's own port would go round in circles. */
function blackhole(build: Build): FilterChain {
  return {
    name: 'virtualInbound-blackhole',
    filter_chain_match: { destination_port: build.mesh.proxyInboundListenPort },
    filters: [...exchangeFilters(build), ...statsFilters(build, 'inbound'), silentTcpProxy(BLACK_HOLE_CLUSTER)],
  }
}
