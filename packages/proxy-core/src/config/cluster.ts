import type { Result } from '@heddle/runtime'
import type { CircuitBreakers, Cluster, Cluster_TransportSocketMatch } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { BindConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { ClientTlsContext } from '../net/tls.js'
import { createPicker } from '../upstream/balancers/picker.js'
import type { Endpoint } from '../upstream/endpoint.js'
import { NO_ENDPOINTS } from '../upstream/endpoint-set.js'
import { compileSocketAddress } from './address.js'
import { compileClusterHttp } from './cluster-http.js'
import type { CircuitBreakerLimits, CompileDeps, CompiledCluster, DnsConfig } from './compiled.js'
import { compileMessage, type Fields } from './fields.js'
import { compileEndpointSet } from './load-assignment.js'
import { compileLoadBalancing } from './load-balancing.js'
import { compileMetadata } from './metadata.js'
import { compileOutlierDetection } from './outlier-detection.js'
import { compileClientSocket } from './transport-socket.js'

/** Compiles envoy.config.cluster.v3.Cluster. Every field that would change behaviour and is not supported is an error at its path. */
export function compileCluster(json: Cluster, deps: CompileDeps, path: string): Result<CompiledCluster> {
  return compileMessage<Cluster, CompiledCluster>(json, path, (fields) => build(fields, deps))
}

function build(fields: Fields<Cluster>, deps: CompileDeps): CompiledCluster {
  const name = fields.string('name')
  const balancing = compileLoadBalancing(fields, deps)
  const outlier = compileOutlierDetection(fields.message('outlier_detection'))
  const sourceAddress = compileSource(fields.message('upstream_bind_config'))
  checkNetworkFilters(fields)
  const cluster: CompiledCluster = {
    name,
    altStatName: fields.string('alt_stat_name', name),
    discovery: compileDiscovery(fields, name),
    connectTimeoutMs: fields.durationMs('connect_timeout', 5_000),
    createPicker: (endpoints, pickerDeps) => createPicker(balancing, endpoints, pickerDeps),
    circuitBreakers: compileCircuitBreakers(fields.message('circuit_breakers')),
    ...(outlier && { outlier }),
    tlsFor: compileTls(fields, deps),
    http: compileClusterHttp(fields),
    metadata: compileMetadata(fields.message('metadata')),
    ...(sourceAddress !== undefined && { sourceAddress }),
  }
  fields.done({
    per_connection_buffer_limit_bytes: "the proxy's own buffer limits hold",
    upstream_connection_options: 'keep-alive probes are the kernel’s',
    wait_for_warm_on_init: 'a cluster is always warmed',
    cleanup_interval: 'idle destinations go by the idle timeout of their pool',
    typed_dns_resolver_config: 'the system resolves names',
    dns_jitter: 'spreads refreshes that are few',
    lrs_server: 'load is not reported',
    track_timeout_budgets: 'names statistics that are not kept',
    track_cluster_stats: 'names statistics that are not kept',
    ignore_health_on_host_removal: 'a host that EDS no longer names is removed at once',
    close_connections_on_host_health_failure: 'means nothing without health checks',
    preconnect_policy: 'connections are opened when they are needed',
  })
  if (name === '') fields.problem('is required.', 'name')
  return cluster
}

const KINDS = ['STATIC', 'STRICT_DNS', 'LOGICAL_DNS', 'EDS', 'ORIGINAL_DST'] as const

function compileDiscovery(fields: Fields<Cluster>, name: string): CompiledCluster['discovery'] {
  const kind = fields.choice('type', KINDS, 'STATIC')
  const assignment = fields.message('load_assignment')
  const endpoints = assignment === undefined ? NO_ENDPOINTS : compileEndpointSet(assignment)
  const dns = compileDns(fields)
  const eds = fields.message('eds_cluster_config')
  const serviceName = eds?.string('service_name', name) ?? name
  eds?.done({ eds_config: 'endpoints come from where the cluster came from' })
  const original = fields.message('original_dst_lb_config')
  const port = original?.number('upstream_port_override') ?? 0
  original?.done()
  switch (kind) {
    case 'EDS':
      return { kind, serviceName: serviceName === '' ? name : serviceName }
    case 'ORIGINAL_DST':
      return { kind, ...(port !== 0 && { port }) }
    case 'STATIC':
      return { kind, endpoints }
    default:
      return { kind, endpoints, dns }
  }
}

function compileDns(fields: Fields<Cluster>): DnsConfig {
  return {
    refreshMs: fields.durationMs('dns_refresh_rate', 5_000),
    respectTtl: fields.boolean('respect_dns_ttl'),
    family: fields.choice('dns_lookup_family', ['AUTO', 'V4_ONLY', 'V6_ONLY', 'V4_PREFERRED', 'ALL'], 'AUTO'),
  }
}

const NO_LIMITS: CircuitBreakerLimits = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 }

/** The thresholds of priority DEFAULT: routes of priority HIGH are refused, so theirs have no use. */
function compileCircuitBreakers(fields: Fields<CircuitBreakers> | undefined): CircuitBreakerLimits {
  if (fields === undefined) return NO_LIMITS
  let limits = NO_LIMITS
  for (const threshold of fields.messages('thresholds')) {
    if (threshold.choice('priority', ['DEFAULT', 'HIGH'], 'DEFAULT') === 'HIGH') continue
    const budget = threshold.message('retry_budget')
    const percent = budget?.message('budget_percent')
    limits = {
      maxConnections: threshold.number('max_connections', 1024),
      maxPendingRequests: threshold.number('max_pending_requests', 1024),
      maxRequests: threshold.number('max_requests', 1024),
      maxRetries: threshold.number('max_retries', 3),
      ...(budget && {
        retryBudget: { percent: percent?.number('value') ?? 20, minConcurrency: budget.number('min_retry_concurrency', 3) },
      }),
    }
    percent?.done()
    budget?.done()
    threshold.done({ track_remaining: 'names statistics that are not kept' })
  }
  fields.done()
  return limits
}

function compileTls(fields: Fields<Cluster>, deps: CompileDeps): (endpoint: Endpoint) => ClientTlsContext | undefined {
  const fallback = compileClientSocket(fields.message('transport_socket'), deps)
  const matches = fields.messages('transport_socket_matches').map((each) => compileSocketMatch(each, deps))
  if (matches.length === 0) return () => fallback
  return (endpoint) => {
    const labels = endpoint.metadata['envoy.transport_socket_match'] ?? {}
    const found = matches.find(({ wanted }) => wanted.every(([key, value]) => labels[key] === value))
    return found === undefined ? fallback : found.tls
  }
}

function compileSocketMatch(
  fields: Fields<Cluster_TransportSocketMatch>,
  deps: CompileDeps,
): { wanted: readonly (readonly [string, unknown])[]; tls: ClientTlsContext | undefined } {
  const wanted = Object.entries((fields.raw('match') ?? {}) as Record<string, unknown>)
  const tls = compileClientSocket(fields.message('transport_socket'), deps)
  fields.done({ name: 'names statistics that are not kept' })
  if (wanted.some(([, value]) => typeof value === 'object')) fields.problem('only plain values can be matched.', 'match')
  return { wanted, tls }
}

function compileSource(fields: Fields<BindConfig> | undefined): string | undefined {
  if (fields === undefined) return undefined
  const source = fields.message('source_address')
  const address = source === undefined ? undefined : compileSocketAddress(source)
  fields.done()
  if (address !== undefined && address.port !== 0) fields.problem('a fixed source port is not supported.', 'source_address')
  return address?.address
}

const TCP_EXCHANGE = 'envoy.tcp.metadataexchange.config.MetadataExchange'

/** Istio's TCP metadata exchange needs no filter where its ALPN is never offered (tls-context); any other is refused. */
function checkNetworkFilters(fields: Fields<Cluster>): void {
  for (const filter of fields.messages('filters')) {
    const type = filter.any('typed_config')?.typeName ?? ''
    if (type !== TCP_EXCHANGE) filter.problem(`${type} is not supported as an upstream network filter.`)
    filter.done({ name: 'the type decides' })
  }
}
