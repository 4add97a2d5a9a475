import { ok } from '@heddle/runtime'
import type { Filter, FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import type { ConnectionLimit } from '@heddle/xds-types/envoy/extensions/filters/network/connection_limit/v3'
import type { Config as DirectResponseConfig } from '@heddle/xds-types/envoy/extensions/filters/network/direct_response/v3'
import type { ExtAuthz } from '@heddle/xds-types/envoy/extensions/filters/network/ext_authz/v3'
import type { HttpConnectionManager } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { LocalRateLimit } from '@heddle/xds-types/envoy/extensions/filters/network/local_ratelimit/v3'
import type { RBAC } from '@heddle/xds-types/envoy/extensions/filters/network/rbac/v3'
import type { FilterConfig as SniForwardConfig } from '@heddle/xds-types/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3'
import type { TcpProxy as TcpProxyProto } from '@heddle/xds-types/envoy/extensions/filters/network/tcp_proxy/v3'
import type { MetadataExchange } from '@heddle/xds-types/envoy/tcp/metadataexchange/config'
import type { PluginConfig } from '@heddle/xds-types/stats'
import type { NetworkAuthorizer } from '../filters/network/authorizer.js'
import { compileConnectionLimit } from '../filters/network/connection-limit.js'
import { compileDirectResponse } from '../filters/network/direct-response.js'
import { compileNetworkExtAuthz } from '../filters/network/ext-authz.js'
import type { NetworkGate } from '../filters/network/gate.js'
import { compileNetworkStats } from '../filters/network/istio-stats.js'
import { compileNetworkRateLimit } from '../filters/network/local-ratelimit.js'
import type { NetworkObserver } from '../filters/network/observer.js'
import { compileNetworkRbac } from '../filters/network/rbac.js'
import type { CompileDeps, CompiledFilterChain, NetworkGuard, TcpProxy } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { type ChainMatch, compileChainMatch } from './filter-chain-match.js'
import { compileHttpManager } from './http-manager.js'
import { type FilterMetadata, metadataOf } from './metadata.js'
import { compileMetadataExchange, METADATA_EXCHANGE, type PeerExchange } from './metadata-exchange.js'
import { compileSniForward } from './sni-forward.js'
import { compileTcpProxy } from './tcp-proxy.js'
import { compileServerSocket } from './transport-socket.js'

const FILTERS = 'envoy.extensions.filters.network'
/** istio.stats. */
const TCP_STATS = 'stats.PluginConfig'
/** Has no settings: it names the cluster of the tcp_proxy that follows. */
const SNI_CLUSTER = `${FILTERS}.sni_cluster.v3.SniCluster`
const DEFAULT_CONNECT_MS = 0

export interface MatchedChain {
  readonly match: ChainMatch
  readonly chain: CompiledFilterChain
}

export function compileFilterChain(
  fields: Fields<FilterChain>,
  deps: CompileDeps,
  listenerMetadata: FilterMetadata | undefined,
): MatchedChain | undefined {
  const match = compileChainMatch(fields.message('filter_chain_match'))
  const { terminal, ...filters } = compileNetworkFilters(fields, deps)
  const exchanges = filters.exchange !== undefined && terminal?.kind === 'tcp_proxy'
  const tls = compileServerSocket(fields.message('transport_socket'), deps, exchanges)
  const transportSocket = fields.raw('transport_socket')
  const name = fields.string('name')
  const rest = {
    name,
    servedAt: { filterChainName: name, filterChainMetadata: metadataOf(fields), listenerMetadata },
    transportSocketConnectTimeoutMs: fields.durationMs('transport_socket_connect_timeout', DEFAULT_CONNECT_MS),
  }
  fields.done()
  return terminal && { match, chain: { ...rest, ...(tls && { tls, transportSocket }), ...filters, terminal } }
}

/** Filters of one chain, each where the chain looks for it. */
interface NetworkFilters {
  readonly gates: NetworkGate[]
  readonly guards: NetworkGuard[]
  readonly authorizers: NetworkAuthorizer[]
  readonly observers: NetworkObserver[]
  exchange?: PeerExchange
  terminal: CompiledFilterChain['terminal'] | undefined
}

/** What a server name means to the tcp_proxy that follows. */
interface ServerNameUse {
  cluster?: boolean
  forward?: TcpProxy['sniForward']
}

function compileNetworkFilters(chain: Fields<FilterChain>, deps: CompileDeps): NetworkFilters {
  const found: NetworkFilters = { gates: [], guards: [], authorizers: [], observers: [], terminal: undefined }
  const serverName: ServerNameUse = {}
  for (const fields of chain.messages('filters')) {
    if (found.terminal !== undefined) fields.problem('stands after the terminal filter.')
    compileNetworkFilter(fields, deps, found, serverName)
    fields.done({ name: 'the type decides' })
  }
  const { terminal, observers } = found
  if (terminal === undefined) chain.problem('must end with http_connection_manager, tcp_proxy or direct_response.', 'filters')
  else if (terminal.kind === 'tcp_proxy') return { ...found, terminal: withServerName(terminal, serverName) }
  else if (observers.length > 0)
    chain.problem(`${observers[0]?.name} counts connections of a tcp_proxy; an HTTP manager has it as an HTTP filter.`, 'filters')
  return found
}

function withServerName(proxy: TcpProxy, { cluster, forward }: ServerNameUse): TcpProxy {
  const bySni: TcpProxy['target'] = (random, name) => {
    const target = proxy.target(random, name)
    return name === undefined ? target : { ...target, cluster: name }
  }
  return { ...proxy, target: cluster === true ? bySni : proxy.target, sniForward: forward }
}

function compileNetworkFilter(fields: Fields<Filter>, deps: CompileDeps, found: NetworkFilters, serverName: ServerNameUse): void {
  const config = fields.any('typed_config')
  const name = fields.string('name')
  const of = <T>(): Fields<T> => fieldsOf<T>(config!, fields as Fields<never>)
  switch (config?.typeName) {
    case `${FILTERS}.http_connection_manager.v3.HttpConnectionManager`:
      found.terminal = compileHttpManager(of<HttpConnectionManager>(), deps)
      break
    case `${FILTERS}.tcp_proxy.v3.TcpProxy`:
      found.terminal = compileTcpProxy(of<TcpProxyProto>(), deps)
      break
    case `${FILTERS}.direct_response.v3.Config`:
      found.terminal = compileDirectResponse(of<DirectResponseConfig>(), deps)
      break
    case `${FILTERS}.rbac.v3.RBAC`:
      found.guards.push(compileNetworkRbac(of<RBAC>(), name))
      break
    case `${FILTERS}.ext_authz.v3.ExtAuthz`:
      found.authorizers.push(compileNetworkExtAuthz(of<ExtAuthz>(), name, config.value))
      break
    case `${FILTERS}.connection_limit.v3.ConnectionLimit`:
      found.gates.push(compileConnectionLimit(of<ConnectionLimit>(), name))
      break
    case `${FILTERS}.local_ratelimit.v3.LocalRateLimit`:
      found.gates.push(compileNetworkRateLimit(of<LocalRateLimit>(), name))
      break
    case TCP_STATS:
      found.observers.push(compileNetworkStats(of<PluginConfig>(), name))
      break
    case METADATA_EXCHANGE:
      found.exchange = compileMetadataExchange(of<MetadataExchange>())
      break
    case SNI_CLUSTER:
      serverName.cluster = true
      break
    case `${FILTERS}.sni_dynamic_forward_proxy.v3.FilterConfig`:
      serverName.forward = compileSniForward(of<SniForwardConfig>())
      break
    case `${FILTERS}.mongo_proxy.v3.MongoProxy`:
    case `${FILTERS}.mysql_proxy.v3.MySQLProxy`:
      passOver(of<{ readonly stat_prefix?: string }>())
      break
    default:
      if (!fields.has('config_discovery'))
        fields.problem(`the network filter ${config?.typeName ?? name} is not supported.`, 'typed_config')
  }
}

/** What reads a protocol for its statistics, which are not kept here, and lets every byte pass; anything else that it could do is refused. */
function passOver(fields: Fields<{ readonly stat_prefix?: string }>): void {
  fields.string('stat_prefix')
  fields.done({ commands: 'names statistics' })
  const message = 'The statistics of this protocol are not kept; its bytes pass as they are.'
  fields.take(ok(undefined, [{ code: 'config.no_statistics', severity: 'warning', path: fields.path, message }]))
}
