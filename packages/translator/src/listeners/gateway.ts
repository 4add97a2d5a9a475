import { type ForwardClientCertDetails, isHttp } from '@heddle/config-model'
import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { dualAddresses, inFamily } from '../families.js'
import { type BoundServer, sniHosts } from '../gateways.js'
import { defined } from '../message.js'
import { listenerName, statName } from '../names.js'
import { NO_ORIGINS, sourceOf } from '../provenance.js'
import { userServerSocket } from '../security/server-tls.js'
import { listenerAccessLogs } from '../telemetry/access-log.js'
import { allNetworkExtensions } from '../traffic-extensions/filters.js'
import { acceptedAtOnce, connectionBalance, socketAddress, WILDCARD } from './binding.js'
import { connectionSettings } from './connection-settings.js'
import { gatewayTcpChains } from './gateway-tcp.js'
import { type HttpManager, httpManager } from './http-manager.js'
import { PROXY_PROTOCOL, TLS_INSPECTOR } from './listener-filters.js'
import { chainOf } from './outbound-tcp.js'

const FIRST_UNPRIVILEGED = 1024

/** One listener per address and port of a gateway's servers. */
export function gatewayListeners(build: Build, servers: readonly BoundServer[]): Listener[] {
  const byAddress = new Map<string, BoundServer[]>()
  const taken = new Map<number, Map<string, string>>()
  for (const server of servers) {
    if (build.proxy.unprivileged && server.listenPort < FIRST_UNPRIVILEGED) continue
    const key = listenerName(server.bind || inFamily(build, WILDCARD), server.listenPort)
    const known = byAddress.get(key)
    if (known === undefined) byAddress.set(key, [server])
    else known.push(server)
  }
  return [...byAddress].flatMap(([name, list]) => {
    const port = list[0]?.listenPort ?? 0
    taken.set(port, taken.get(port) ?? new Map())
    return listenerOf(build, name, list, taken.get(port) ?? new Map())
  })
}

function listenerOf(build: Build, name: string, servers: readonly BoundServer[], taken: Map<string, string>): Listener[] {
  const [first] = servers
  if (first === undefined) return []
  const plain = servers.find(({ protocol }) => isHttp(protocol))
  const chains = servers.flatMap((s) => {
    if (isHttp(s.protocol)) return s === plain ? [httpChain(build, name, s)] : []
    return s.terminatesHttps ? [httpChain(build, name, s)] : gatewayTcpChains(build, s, taken)
  })
  if (chains.length === 0) return []
  const filters = [
    ...(build.proxyConfig.gatewayTopology?.proxyProtocol === undefined ? [] : [PROXY_PROTOCOL]),
    ...(chains.some(looksAtTls) ? [TLS_INSPECTOR] : []),
  ]
  const listener = defined({
    name,
    address: socketAddress(first.bind || inFamily(build, WILDCARD), first.listenPort),
    additional_addresses: first.bind === '' ? dualAddresses(build, WILDCARD, first.listenPort) : undefined,
    connection_balance_config: connectionBalance(build, 'OUTBOUND'),
    traffic_direction: 'OUTBOUND' as const,
    access_log: listenerAccessLogs(build, 'gateway'),
    filter_chains: chains,
    listener_filters: filters.length === 0 ? undefined : filters,
    per_connection_buffer_limit_bytes: connectionSettings(build)?.listenerPerConnectionBufferLimitBytes,
    max_connections_to_accept_per_socket_event: acceptedAtOnce(build),
  })
  if (build.origins !== NO_ORIGINS)
    for (const server of servers) build.origins.mark(listener, sourceOf(server.gateway, server.path))
  return [listener]
}

function looksAtTls(chain: FilterChain): boolean {
  return chain.transport_socket !== undefined || (chain.filter_chain_match?.server_names ?? []).length > 0
}

/** What managers of gateways say of clients' certificates and of the proxies before this one. */
function edgeOptions({ proxyConfig }: Build): NonNullable<HttpManager['extra']> {
  const topology = proxyConfig.gatewayTopology
  const forward: ForwardClientCertDetails =
    topology?.forwardClientCertDetails === undefined || topology.forwardClientCertDetails === 'UNDEFINED'
      ? 'SANITIZE_SET'
      : topology.forwardClientCertDetails
  return {
    http_protocol_options: {},
    ...(forward === 'SANITIZE' ? {} : { forward_client_cert_details: forward }),
    // What is not passed on has no details.
    ...(forward === 'SANITIZE_SET' || forward === 'APPEND_FORWARD'
      ? { set_current_client_cert_details: { subject: true, cert: true, uri: true, dns: true } }
      : {}),
    ...(topology?.numTrustedProxies === undefined || topology.numTrustedProxies === 0
      ? {}
      : { xff_num_trusted_hops: topology.numTrustedProxies }),
  }
}

/** HTTP, plain or inside TLS that ends here. */
function httpChain(build: Build, listener: string, bound: BoundServer): FilterChain {
  const { server } = bound
  const manager = httpManager(build, {
    listener: 'gateway',
    statPrefix:
      bound.terminatesHttps && server.name !== undefined && server.name !== '' ? server.name : statName(`outbound_${listener}`),
    routes: bound.routeName,
    port: bound.listenPort,
    protocol: bound.protocol,
    extra: build.memo.of('edge options', [], () => edgeOptions(build)),
  })
  const made = chainOf(build, [...allNetworkExtensions(build, 'gateway', bound.listenPort), manager], undefined)
  if (!bound.terminatesHttps || server.tls === undefined) return build.origins.mark(made, sourceOf(bound.gateway, bound.path))
  const names = sniHosts(server)
  const chain: FilterChain = names.includes('*') ? made : { filter_chain_match: { server_names: names }, ...made }
  chain.transport_socket = userServerSocket(build, server.tls, 'http')
  return build.origins.mark(chain, sourceOf(bound.gateway, bound.path))
}
