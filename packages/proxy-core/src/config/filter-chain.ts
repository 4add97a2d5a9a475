import { ok } from '@heddle/runtime'
import type { Filter, FilterChain } from '@heddle/xds-types/envoy/config/listener/v3'
import type { ConnectionLimit } from '@heddle/xds-types/envoy/extensions/filters/network/connection_limit/v3'
import type { Config as DirectResponseConfig } from '@heddle/xds-types/envoy/extensions/filters/network/direct_response/v3'
import type { ExtAuthz } from '@heddle/xds-types/envoy/extensions/filters/network/ext_authz/v3'
import type { HttpConnectionManager } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { LocalRateLimit } from '@heddle/xds-types/envoy/extensions/filters/network/local_ratelimit/v3'
import type { RBAC } from '@heddle/xds-types/envoy/extensions/filters/network/rbac/v3'
import type { TcpProxy } from '@heddle/xds-types/envoy/extensions/filters/network/tcp_proxy/v3'
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
import type { CompileDeps, CompiledFilterChain, NetworkGuard } from './compiled.js'
import { type Fields, fieldsOf } from './fields.js'
import { type ChainMatch, compileChainMatch } from './filter-chain-match.js'
import { compileHttpManager } from './http-manager.js'
import { type FilterMetadata, metadataOf } from './metadata.js'
import { compileMetadataExchange, METADATA_EXCHANGE, type PeerExchange } from './metadata-exchange.js'
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

interface NetworkFilters {
  readonly gates: readonly NetworkGate[]
  readonly guards: readonly NetworkGuard[]
  readonly authorizers: readonly NetworkAuthorizer[]
  readonly observers: readonly NetworkObserver[]
  readonly exchange?: PeerExchange
  readonly terminal: CompiledFilterChain['terminal'] | undefined
}

function compileNetworkFilters(chain: Fields<FilterChain>, deps: CompileDeps): NetworkFilters {
  const gates: NetworkGate[] = []
  const guards: NetworkGuard[] = []
  const authorizers: NetworkAuthorizer[] = []
  const observers: NetworkObserver[] = []
  let exchange: PeerExchange | undefined
  let terminal: CompiledFilterChain['terminal'] | undefined
  let bySni = false
  for (const fields of chain.messages('filters')) {
    if (terminal !== undefined) fields.problem('stands after the terminal filter.')
    bySni ||= fields.any('typed_config')?.typeName === SNI_CLUSTER
    const made = compileNetworkFilter(fields, deps)
    if (made !== undefined && 'kind' in made)
      terminal = made.kind === 'tcp_proxy' ? { ...made, clusterOfServerName: bySni } : made
    else if (made !== undefined && 'message' in made) authorizers.push(made)
    else if (made !== undefined && 'observe' in made) observers.push(made)
    else if (made !== undefined && 'additionalLabels' in made) exchange = made
    else if (made !== undefined && 'create' in made) gates.push(made)
    else if (made !== undefined) guards.push(made)
    fields.done({ name: 'the type decides' })
  }
  if (terminal === undefined) chain.problem('must end with http_connection_manager, tcp_proxy or direct_response.', 'filters')
  if (observers.length > 0 && terminal !== undefined && terminal.kind !== 'tcp_proxy')
    chain.problem(`${observers[0]?.name} counts connections of a tcp_proxy; an HTTP manager has it as an HTTP filter.`, 'filters')
  return { gates, guards, authorizers, observers, ...(exchange && { exchange }), terminal }
}

function compileNetworkFilter(
  fields: Fields<Filter>,
  deps: CompileDeps,
): NetworkGate | NetworkGuard | NetworkAuthorizer | NetworkObserver | PeerExchange | CompiledFilterChain['terminal'] | undefined {
  const config = fields.any('typed_config')
  const into = fields as Fields<never>
  switch (config?.typeName) {
    case `${FILTERS}.http_connection_manager.v3.HttpConnectionManager`:
      return compileHttpManager(fieldsOf<HttpConnectionManager>(config, into), deps)
    case `${FILTERS}.tcp_proxy.v3.TcpProxy`:
      return compileTcpProxy(fieldsOf<TcpProxy>(config, into), deps)
    case `${FILTERS}.direct_response.v3.Config`:
      return compileDirectResponse(fieldsOf<DirectResponseConfig>(config, into), deps)
    case `${FILTERS}.rbac.v3.RBAC`:
      return compileNetworkRbac(fieldsOf<RBAC>(config, into), fields.string('name'))
    case `${FILTERS}.ext_authz.v3.ExtAuthz`:
      return compileNetworkExtAuthz(fieldsOf<ExtAuthz>(config, into), fields.string('name'), config.value)
    case `${FILTERS}.connection_limit.v3.ConnectionLimit`:
      return compileConnectionLimit(fieldsOf<ConnectionLimit>(config, into), fields.string('name'))
    case `${FILTERS}.local_ratelimit.v3.LocalRateLimit`:
      return compileNetworkRateLimit(fieldsOf<LocalRateLimit>(config, into), fields.string('name'))
    case TCP_STATS:
      return compileNetworkStats(fieldsOf<PluginConfig>(config, into), fields.string('name'))
    case METADATA_EXCHANGE:
      return compileMetadataExchange(fieldsOf<MetadataExchange>(config, into))
    case SNI_CLUSTER:
      return undefined
    case `${FILTERS}.mongo_proxy.v3.MongoProxy`:
    case `${FILTERS}.mysql_proxy.v3.MySQLProxy`:
      passOver(fieldsOf<{ readonly stat_prefix?: string }>(config, into))
      return undefined
    default:
      if (!fields.has('config_discovery'))
        fields.problem(`the network filter ${config?.typeName ?? fields.string('name')} is not supported.`, 'typed_config')
      return undefined
  }
}

/** What reads a protocol for its statistics, which are not kept here, and lets every byte pass; anything else that it could do is refused. */
function passOver(fields: Fields<{ readonly stat_prefix?: string }>): void {
  fields.string('stat_prefix')
  fields.done({ commands: 'names statistics' })
  const message = 'The statistics of this protocol are not kept; its bytes pass as they are.'
  fields.take(ok(undefined, [{ code: 'config.no_statistics', severity: 'warning', path: fields.path, message }]))
}
