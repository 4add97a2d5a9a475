import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { allowsDynamicDns } from '../egress-dns.js'
import { dualAddresses, familiesOf, inFamily, listOf } from '../families.js'
import { defined } from '../message.js'
import { BLACK_HOLE_CLUSTER, VIRTUAL_OUTBOUND } from '../names.js'
import { egressCluster } from '../routes/default-route.js'
import { listenerAccessLogs } from '../telemetry/access-log.js'
import { statsFilters } from '../telemetry/stats.js'
import { acceptedAtOnce, socketAddress, WILDCARD } from './binding.js'
import { dynamicDnsChain } from './dynamic-dns-chain.js'
import { HTTP_INSPECTOR } from './listener-filters.js'
import { silentTcpProxy, tcpProxy } from './tcp-proxy.js'

/** Where redirected outbound traffic arrives: it hands each connection to the listener of its original destination, and takes what has none. */
export function virtualOutbound(build: Build): Listener | undefined {
  const { interceptionMode } = build.proxy
  if (interceptionMode === 'NONE') return undefined
  const { proxyListenPort } = build.mesh
  const dynamic = allowsDynamicDns(build)
  const blackhole: FilterChain = {
    name: 'virtualOutbound-blackhole',
    filter_chain_match: { destination_port: proxyListenPort },
    filters: [...statsFilters(build, 'outbound'), silentTcpProxy(BLACK_HOLE_CLUSTER)],
  }
  return defined({
    name: VIRTUAL_OUTBOUND,
    address: socketAddress(inFamily(build, WILDCARD), proxyListenPort),
    additional_addresses: besides(build, proxyListenPort),
    traffic_direction: 'OUTBOUND' as const,
    use_original_dst: true,
    transparent: interceptionMode === 'TPROXY' ? true : undefined,
    access_log: listenerAccessLogs(build, 'outbound'),
    listener_filters: dynamic ? [HTTP_INSPECTOR] : undefined,
    filter_chains: [
      blackhole,
      ...(dynamic ? [dynamicDnsChain(build)] : []),
      { name: 'virtualOutbound-catchall-tcp', filters: catchAllFilters(build) },
    ],
    max_connections_to_accept_per_socket_event: acceptedAtOnce(build),
  })
}

/** A pod of IPv6 alone may call IPv4 as well. */
function besides(build: Build, port: number): Listener['additional_addresses'] {
  const beside = build.features.ipv4BesideIpv6 && familiesOf(build) === 'IPv6'
  return beside ? listOf([WILDCARD], port) : dualAddresses(build, WILDCARD, port)
}

/** To where unknown destinations go. */
export function catchAllFilters(build: Build): NonNullable<FilterChain['filters']> {
  return [...statsFilters(build, 'outbound'), tcpProxy(build, 'outbound', egressCluster(build))]
}
