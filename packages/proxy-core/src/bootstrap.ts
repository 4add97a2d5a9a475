import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import { Bootstrap, type Bootstrap_DynamicResources } from '@heddle/xds-types/envoy/config/bootstrap/v3'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { Address, ApiConfigSource, ConfigSource, Node } from '@heddle/xds-types/envoy/config/core/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { StatsSink } from '@heddle/xds-types/envoy/config/metrics/v3'
import type { Tracing_Http } from '@heddle/xds-types/envoy/config/trace/v3'
import type { Secret } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { parseDuration } from './config/duration.js'
import { fetchTimeoutMs } from './config/fetch-timeout.js'
import type { SocketAddress } from './net/connection.js'

/** An Envoy v3 bootstrap, checked and narrowed to what this proxy does. */
export interface ProxyBootstrap {
  /** Sent to management servers as it is. */
  readonly node: Node
  readonly admin?: { readonly address: SocketAddress }
  readonly listeners: readonly Listener[]
  readonly clusters: readonly Cluster[]
  readonly secrets: readonly Secret[]
  readonly dynamic?: DynamicConfig
  /** tracing.http: who gets the spans of managers that name nobody. */
  readonly tracing?: Tracing_Http
  readonly statsSinks: readonly StatsSink[]
  /** stats_flush_interval; 5,000 by default. */
  readonly statsFlushIntervalMs: number
  /** The whole message, for `/config_dump`. */
  readonly message: Bootstrap
}

/** dynamic_resources: what comes over the aggregated stream. */
export interface DynamicConfig {
  readonly variant: 'delta' | 'sotw'
  readonly source: ApiConfigSource
  readonly listeners: boolean
  readonly clusters: boolean
  /** initial_fetch_timeout in milliseconds; 0: none. Of several layers of RTDS the longest. */
  readonly fetchTimeoutMs: { readonly listeners: number; readonly clusters: number; readonly runtime: number }
}

type Field = Exclude<keyof Bootstrap, symbol>

/** Fields that change nothing here: tuning of Envoy's own threads, memory and names. Each is told as a warning. */
const IGNORED: readonly Field[] = [
  'node_context_params',
  'cluster_manager',
  'flags_path',
  'deferred_stat_options',
  'stats_config',
  'stats_flush_on_admin',
  'watchdog',
  'watchdogs',
  'overload_manager',
  'enable_dispatcher_stats',
  'stats_server_version_override',
  'use_tcp_for_dns_lookups',
  'dns_resolution_config',
  'typed_dns_resolver_config',
  'fatal_actions',
  'default_socket_interface',
  'perf_tracing_file_path',
  'default_regex_engine',
  'application_log_config',
  'grpc_async_client_manager_config',
  'memory_allocator_manager',
  'inline_headers',
]
const READ: readonly Field[] = [
  'node',
  'static_resources',
  'dynamic_resources',
  'admin',
  'layered_runtime',
  'tracing',
  'stats_sinks',
  'stats_flush_interval',
]

const STATS_FLUSH_MS = 5_000

/**
 * Reads a bootstrap given as an object (parsed YAML or JSON, either spelling of field names). What the proxy does not support
 * is an error that names the field: `bootstrap.unsupported`; what it may ignore is a warning: `bootstrap.ignored`; what breaks a
 * rule of the API is `xds.rule`.
 */
export function parseBootstrap(input: unknown): Result<ProxyBootstrap> {
  const decoded = Bootstrap.fromJson(input, knownTypes)
  if (!decoded.ok) return decoded
  const bootstrap = decoded.value
  const noted: Diagnostic[] = [...Bootstrap.validate(bootstrap, knownTypes), ...checkFields(bootstrap)]
  const admin = bootstrap.admin?.address === undefined ? ok(undefined) : socketAddressOf(bootstrap.admin.address, 'admin.address')
  if (!admin.ok) noted.push(...admin.diagnostics)
  const dynamic = parseDynamic(bootstrap.dynamic_resources ?? {}, rtdsSources(bootstrap))
  if (!dynamic.ok) noted.push(...dynamic.diagnostics)
  if (!admin.ok || !dynamic.ok || noted.some(({ severity }) => severity === 'error')) return fail(...noted)
  const { listeners = [], clusters = [], secrets = [] } = bootstrap.static_resources ?? {}
  return ok(
    {
      node: bootstrap.node ?? {},
      listeners,
      clusters,
      secrets,
      message: bootstrap,
      statsSinks: bootstrap.stats_sinks ?? [],
      statsFlushIntervalMs: parseDuration(bootstrap.stats_flush_interval) ?? STATS_FLUSH_MS,
      ...(admin.value !== undefined && { admin: { address: admin.value } }),
      ...(dynamic.value !== undefined && { dynamic: dynamic.value }),
      ...(bootstrap.tracing?.http !== undefined && { tracing: bootstrap.tracing.http }),
    },
    noted,
  )
}

function checkFields(bootstrap: Bootstrap): Diagnostic[] {
  const noted: Diagnostic[] = []
  for (const field of Object.keys(bootstrap) as Field[]) {
    if (READ.includes(field)) continue
    if (IGNORED.includes(field)) {
      noted.push({ code: 'bootstrap.ignored', severity: 'warning', path: field, message: 'This field has no effect here.' })
    } else {
      noted.push(unsupported(field))
    }
  }
  const names = new Set<string>()
  for (const [i, { name = '' }] of (bootstrap.static_resources?.clusters ?? []).entries()) {
    if (names.has(name)) {
      const message = `Another cluster has the name ${JSON.stringify(name)}: give this one its own.`
      noted.push(problem('bootstrap.duplicate', `static_resources.clusters[${i}].name`, message))
    }
    names.add(name)
  }
  for (const [i, layer] of (bootstrap.layered_runtime?.layers ?? []).entries()) {
    const path = `layered_runtime.layers[${i}]`
    const message = 'Runtime is not read from disk.'
    if (layer.disk_layer !== undefined)
      noted.push({ code: 'bootstrap.ignored', severity: 'warning', path: `${path}.disk_layer`, message })
    if (layer.rtds_layer !== undefined && layer.rtds_layer.rtds_config?.ads === undefined)
      noted.push(unsupported(`${path}.rtds_layer.rtds_config`, 'Only `ads: {}` is supported as the source.'))
  }
  return noted
}

const unsupported = (path: string, advice = 'This field is not supported; remove it.'): Diagnostic =>
  problem('bootstrap.unsupported', path, advice)

const rtdsSources = ({ layered_runtime: layered }: Bootstrap): ConfigSource[] =>
  (layered?.layers ?? []).flatMap(({ rtds_layer: layer }) => layer?.rtds_config ?? [])

function parseDynamic(dynamic: Bootstrap_DynamicResources, rtds: readonly ConfigSource[]): Result<DynamicConfig | undefined> {
  const path = 'dynamic_resources'
  const { ads_config: ads, lds_config: lds, cds_config: cds } = dynamic
  const problems: Diagnostic[] = []
  for (const field of ['lds_resources_locator', 'cds_resources_locator'] as const) {
    if (dynamic[field] !== undefined && dynamic[field] !== '') problems.push(unsupported(`${path}.${field}`))
  }
  for (const [field, source] of [['lds_config', lds] as const, ['cds_config', cds] as const]) {
    if (source !== undefined && source.ads === undefined) {
      problems.push(unsupported(`${path}.${field}`, 'Only `ads: {}` is supported as the source.'))
    }
  }
  if (problems.length > 0) return fail(...problems)
  if (ads === undefined) {
    if (lds === undefined && cds === undefined && rtds.length === 0) return ok(undefined)
    return fail(
      problem(
        'bootstrap.ads',
        `${path}.ads_config`,
        'lds_config, cds_config or an rtds_layer say `ads: {}`, so ads_config is needed.',
      ),
    )
  }
  if (ads.api_type !== 'GRPC' && ads.api_type !== 'DELTA_GRPC') {
    return fail(unsupported(`${path}.ads_config.api_type`, 'Use GRPC or DELTA_GRPC.'))
  }
  return ok({
    variant: ads.api_type === 'GRPC' ? 'sotw' : 'delta',
    source: ads,
    listeners: lds !== undefined,
    clusters: cds !== undefined,
    fetchTimeoutMs: { listeners: longest([lds]), clusters: longest([cds]), runtime: longest(rtds) },
  })
}

/** 0 is for ever. */
function longest(sources: readonly (ConfigSource | undefined)[]): number {
  const timeouts = sources.map((source) => fetchTimeoutMs(source?.initial_fetch_timeout))
  return timeouts.includes(0) ? 0 : Math.max(0, ...timeouts)
}

/** A listening or connecting address of the kinds that bootstraps use: socket_address or pipe. */
export function socketAddressOf(address: Address, path: string): Result<SocketAddress> {
  const { socket_address: socket, pipe } = address
  if (pipe?.path !== undefined) return ok({ address: pipe.path, port: 0 })
  if (socket === undefined) return fail(problem('address.missing', path, 'Set socket_address or pipe.'))
  if (socket.protocol === 'UDP') return fail(unsupported(`${path}.socket_address.protocol`, 'UDP is not supported.'))
  if (socket.named_port !== undefined) return fail(unsupported(`${path}.socket_address.named_port`))
  return ok({ address: socket.address ?? '', port: socket.port_value ?? 0 })
}
