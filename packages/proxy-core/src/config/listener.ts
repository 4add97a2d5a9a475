import type { Result } from '@heddle/runtime'
import type { Listener, ListenerFilter } from '@heddle/xds-types/envoy/config/listener/v3'
import { compileAccessLogs } from './access-logs.js'
import { compileAddress } from './address.js'
import type { CompileDeps, CompiledFilterChain, CompiledListener } from './compiled.js'
import { compileMessage, type Fields, fieldsOf } from './fields.js'
import { compileFilterChain } from './filter-chain.js'
import { indexChains } from './filter-chain-match.js'

type ListenerFilterName = CompiledListener['listenerFilters'][number]

const FILTERS = 'envoy.extensions.filters.listener'
const LISTENER_FILTERS: Readonly<Record<string, ListenerFilterName>> = {
  [`${FILTERS}.tls_inspector.v3.TlsInspector`]: 'tls_inspector',
  [`${FILTERS}.http_inspector.v3.HttpInspector`]: 'http_inspector',
  [`${FILTERS}.original_dst.v3.OriginalDst`]: 'original_dst',
  [`${FILTERS}.proxy_protocol.v3.ProxyProtocol`]: 'proxy_protocol',
}
const DEFAULT_LISTENER_FILTERS_MS = 15_000

/** Compiles envoy.config.listener.v3.Listener. Every field that would change behaviour and is not supported is an error at its path. */
export function compileListener(json: Listener, deps: CompileDeps, path: string): Result<CompiledListener> {
  return compileMessage<Listener, CompiledListener>(json, path, (fields) => build(fields, deps))
}

function build(fields: Fields<Listener>, deps: CompileDeps): CompiledListener {
  const chains = fields.messages('filter_chains').flatMap((each) => compileFilterChain(each, deps) ?? [])
  const fallbackFields = fields.message('default_filter_chain')
  const fallback = fallbackFields && compileFilterChain(fallbackFields, deps)?.chain
  const index = indexChains<CompiledFilterChain>(chains)
  for (const { name } of index.duplicates)
    fields.problem(`two filter chains match the same connections; one is ${JSON.stringify(name)}.`, 'filter_chains')
  const listener: CompiledListener = {
    name: fields.string('name'),
    address: compileAddress(fields.message('address')),
    direction: fields.choice('traffic_direction', ['UNSPECIFIED', 'INBOUND', 'OUTBOUND'], 'UNSPECIFIED'),
    bindToPort: fields.boolean('bind_to_port', true),
    useOriginalDst: fields.boolean('use_original_dst'),
    accessLogs: compileAccessLogs(fields, 'access_log', deps),
    listenerFilters: fields.messages('listener_filters').flatMap((each) => compileListenerFilter(each) ?? []),
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
    stat_prefix: 'names statistics',
    metadata: 'no filter here reads it',
    drain_type: 'a listener drains whenever it is replaced or removed',
    ignore_global_conn_limit: 'there is no global limit',
  })
  return listener
}

function compileListenerFilter(fields: Fields<ListenerFilter>): ListenerFilterName | undefined {
  const config = fields.any('typed_config')
  const type = config?.typeName ?? fields.string('name')
  const name = LISTENER_FILTERS[type] ?? LISTENER_FILTERS[`${FILTERS}.${type}`]
  if (name === undefined && !fields.has('config_discovery'))
    fields.problem(`the listener filter ${type} is not supported.`, 'typed_config')
  if (config !== undefined)
    fieldsOf<object>(config, fields as Fields<never>).done({
      initial_read_buffer_size: 'the inspector reads as much as it needs',
    })
  fields.done({ name: 'the type decides' })
  return name
}
