import type { Result } from '@heddle/runtime'
import type { AdditionalAddress, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { SocketAddress } from '../net/connection.js'
import { compileAccessLogs } from './access-logs.js'
import { compileLiteral } from './address.js'
import type { CompileDeps, CompiledFilterChain, CompiledListener } from './compiled.js'
import { compileMessage, type Fields } from './fields.js'
import { compileFilterChain } from './filter-chain.js'
import { indexChains } from './filter-chain-match.js'
import { type CompiledListenerFilter, compileListenerFilter } from './listener-filter.js'
import { metadataOf } from './metadata.js'

const DEFAULT_LISTENER_FILTERS_MS = 15_000

/** Compiles envoy.config.listener.v3.Listener. Every field that would change behaviour and is not supported is an error at its path. */
export function compileListener(json: Listener, deps: CompileDeps, path: string): Result<CompiledListener> {
  return compileMessage<Listener, CompiledListener>(json, path, (fields) => build(fields, deps))
}

function build(fields: Fields<Listener>, deps: CompileDeps): CompiledListener {
  const metadata = metadataOf(fields)
  const messages = fields.messages('filter_chains')
  const chains = messages.flatMap((each) => compileFilterChain(each, deps, metadata) ?? [])
  const fallbackFields = fields.message('default_filter_chain')
  const fallback = fallbackFields && compileFilterChain(fallbackFields, deps, metadata)?.chain
  const index = indexChains<CompiledFilterChain>(chains)
  for (const { name } of index.duplicates)
    fields.problem(`two filter chains match the same connections; one is ${JSON.stringify(name)}.`, 'filter_chains')
  if (messages.length === 0 && fallbackFields === undefined) fields.problem('is required.', 'filter_chains')
  const filters = compileListenerFilters(fields)
  const proxyProtocol = filters.find((each) => each.proxyProtocol !== undefined)?.proxyProtocol
  const mark = filters.find(({ name }) => name === 'original_src')?.mark
  const fingerprints = filters.find((each) => each.fingerprints !== undefined)?.fingerprints
  const listener: CompiledListener = {
    name: fields.string('name'),
    address: compileLiteral(fields, 'address'),
    additionalAddresses: fields.messages('additional_addresses').map(compileAdditional),
    statPrefix: fields.string('stat_prefix'),
    direction: fields.choice('traffic_direction', ['UNSPECIFIED', 'INBOUND', 'OUTBOUND'], 'UNSPECIFIED'),
    bindToPort: fields.boolean('bind_to_port', true),
    useOriginalDst: fields.boolean('use_original_dst'),
    transparent: fields.boolean('transparent'),
    drainsWhenFailed: fields.choice('drain_type', ['DEFAULT', 'MODIFY_ONLY'], 'DEFAULT') === 'DEFAULT',
    accessLogs: compileAccessLogs(fields, 'access_log', deps),
    listenerFilterMessages: (fields.raw('listener_filters') ?? []) as readonly unknown[],
    listenerFilters: filters.map(({ name }) => name),
    ...(proxyProtocol && { proxyProtocol }),
    ...(fingerprints && { fingerprints }),
    ...(mark !== undefined && { originalSrcMark: mark }),
    listenerFilterEnabled: (name, port) => filters.find((each) => each.name === name)?.enabled(port) ?? false,
    listenerFiltersTimeoutMs: fields.durationMs('listener_filters_timeout', DEFAULT_LISTENER_FILTERS_MS),
    continueOnListenerFiltersTimeout: fields.boolean('continue_on_listener_filters_timeout'),
    chainFor: (facts) => index.find(facts) ?? fallback,
    explainChains: (facts) => index.losers(facts),
    filterChains: chains.map(({ chain }) => chain),
    ...(fallback && { defaultFilterChain: fallback }),
  }
  fields.done({
    per_connection_buffer_limit_bytes: "the proxy's own buffer limits hold",
    max_connections_to_accept_per_socket_event: 'the event loop decides',
    connection_balance_config: 'the processes share accepted connections',
    enable_reuse_port: 'a listener is bound once',
    reuse_port: 'a listener is bound once',
    tcp_backlog_size: "the system's default holds",
    ignore_global_conn_limit: 'there is no global limit',
  })
  return listener
}

function compileListenerFilters(fields: Fields<Listener>): readonly CompiledListenerFilter[] {
  const filters = fields.messages('listener_filters').flatMap((each) => compileListenerFilter(each) ?? [])
  const inspector = filters.findIndex(({ name }) => name === 'tls_inspector' || name === 'http_inspector')
  if (inspector >= 0 && filters.slice(inspector).some(({ name }) => name === 'proxy_protocol'))
    fields.problem(
      'proxy_protocol must stand before the inspectors, which would take its header for the first bytes.',
      'listener_filters',
    )
  return filters
}

function compileAdditional(fields: Fields<AdditionalAddress>): SocketAddress {
  const address = compileLiteral(fields, 'address')
  fields.done()
  return address
}
