import type { Result } from '@heddle/runtime'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { BindConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { MetadataExchange } from '@heddle/xds-types/envoy/tcp/metadataexchange/config'
import type { HealthCheck } from '../upstream/health-check/health-check.js'
import { compileSocketAddress, isLiteral } from './address.js'
import { compileCircuitBreakers } from './circuit-breakers.js'
import { compileDiscovery } from './cluster-discovery.js'
import { compileClusterHttp } from './cluster-http.js'
import { compileClusterSockets } from './cluster-sockets.js'
import type { CompileDeps, CompiledCluster } from './compiled.js'
import { compileMessage, type Fields, fieldsOf } from './fields.js'
import { compileHealthCheck } from './health-check.js'
import { compileLoadBalancing } from './load-balancing.js'
import { isClusterProvided } from './load-balancing-policy.js'
import { compileMetadata } from './metadata.js'
import { compileMetadataExchange, METADATA_EXCHANGE, type PeerExchange } from './metadata-exchange.js'
import { compileOutlierDetection } from './outlier-detection.js'

/** Compiles envoy.config.cluster.v3.Cluster. Every field that would change behaviour and is not supported is an error at its path. */
export function compileCluster(json: Cluster, deps: CompileDeps, path: string): Result<CompiledCluster> {
  return compileMessage<Cluster, CompiledCluster>(json, path, (fields) => build(fields, deps))
}

function build(fields: Fields<Cluster>, deps: CompileDeps): CompiledCluster {
  const name = fields.string('name')
  const balancing = compileLoadBalancing(fields, deps)
  const breakers = compileCircuitBreakers(fields.message('circuit_breakers'), name, deps.runtime)
  const outlier = compileOutlierDetection(fields.message('outlier_detection'))
  const sourceAddresses = compileSource(fields.message('upstream_bind_config'))
  const healthCheck = compileHealthChecks(fields, deps)
  const exchange = compileNetworkFilters(fields)
  const discovery = compileDiscovery(fields, name)
  const http = compileClusterHttp(fields)
  const { everyTls, ...sockets } = compileClusterSockets(fields, deps)
  const cluster: CompiledCluster = {
    name,
    altStatName: fields.string('alt_stat_name', name),
    discovery,
    connectTimeoutMs: fields.durationMs('connect_timeout', 5_000),
    ...balancing,
    circuitBreakers: breakers.normal,
    highCircuitBreakers: breakers.high,
    cleanupIntervalMs: fields.durationMs('cleanup_interval', 5_000),
    ...(outlier && { outlier }),
    ...(healthCheck && { healthCheck }),
    ...(exchange && { exchange }),
    ignoreHealthOnHostRemoval: fields.boolean('ignore_health_on_host_removal'),
    closeConnectionsOnHealthFailure: fields.boolean('close_connections_on_host_health_failure'),
    ...sockets,
    http,
    metadata: compileMetadata(fields.message('metadata')),
    sourceAddresses,
  }
  fields.done({
    per_connection_buffer_limit_bytes: "the proxy's own buffer limits hold",
    upstream_connection_options: 'keep-alive probes are the kernel’s',
    wait_for_warm_on_init: 'a cluster is always warmed',
    typed_dns_resolver_config: 'the system resolves names',
    dns_jitter: 'spreads refreshes that are few',
    lrs_server: 'load is not reported',
    track_timeout_budgets: 'names statistics that are not kept',
    track_cluster_stats: 'names statistics that are not kept',
    preconnect_policy: 'connections are opened when they are needed',
  })
  if (name === '') fields.problem('is required.', 'name')
  checkPolicy(fields, discovery)
  if (healthCheck?.checker.kind === 'GRPC' && http.protocol === 'HTTP1')
    fields.problem('grpc_health_check wants a cluster of HTTP/2.', 'health_checks')
  if (http.protocol === 'AUTO' && !everyTls)
    fields.problem('auto_config wants a transport socket that chooses protocols by ALPN.', 'typed_extension_protocol_options')
  return cluster
}

/** Clusters that find the endpoint of each connection themselves leave nothing to choose, and no others are like that. */
function checkPolicy(fields: Fields<Cluster>, { kind }: CompiledCluster['discovery']): void {
  const provides = kind === 'ORIGINAL_DST' || kind === 'AGGREGATE' || kind === 'DYNAMIC_FORWARD_PROXY'
  const typed = fields.message('load_balancing_policy')
  if (typed !== undefined && kind !== 'ORIGINAL_DST') {
    if (!provides && isClusterProvided(typed)) fields.problem(`ClusterProvided is not for ${kind}.`, 'load_balancing_policy')
    return
  }
  const provided = fields.string('lb_policy', 'ROUND_ROBIN') === 'CLUSTER_PROVIDED'
  if (provides !== provided)
    fields.problem(provides ? `must be CLUSTER_PROVIDED for ${kind}.` : `CLUSTER_PROVIDED is not for ${kind}.`, 'lb_policy')
  if (provided && fields.has('lb_subset_config')) fields.problem('excludes CLUSTER_PROVIDED.', 'lb_subset_config')
}

function compileSource(fields: Fields<BindConfig> | undefined): readonly string[] {
  if (fields === undefined) return []
  const first = fields.message('source_address')
  const extra = fields.messages('extra_source_addresses').map((each) => {
    const address = each.message('address')
    each.done()
    return address
  })
  fields.done()
  const addresses = [first, ...extra].flatMap((each) => (each === undefined ? [] : [compileSocketAddress(each)]))
  const name = addresses.find((address) => !isLiteral(address))
  if (name !== undefined) fields.problem(`${JSON.stringify(name.address)} is no IP address.`, 'source_address')
  if (addresses.some(({ port }) => port !== 0)) fields.problem('a fixed source port is not supported.', 'source_address')
  return addresses.map(({ address }) => address)
}

function compileHealthChecks(fields: Fields<Cluster>, deps: CompileDeps): HealthCheck | undefined {
  const checks = fields.messages('health_checks').map((each) => compileHealthCheck(each, deps))
  if (checks.length > 1) fields.problem('at most one is supported, as in Envoy.', 'health_checks')
  return checks[0]
}

/** Of upstream network filters there is Istio's TCP metadata exchange; any other is refused. */
function compileNetworkFilters(fields: Fields<Cluster>): PeerExchange | undefined {
  let exchange: PeerExchange | undefined
  for (const filter of fields.messages('filters')) {
    const config = filter.any('typed_config')
    if (config?.typeName === METADATA_EXCHANGE) {
      exchange = compileMetadataExchange(fieldsOf<MetadataExchange>(config, filter as Fields<never>))
    } else filter.problem(`${config?.typeName ?? ''} is not supported as an upstream network filter.`)
    filter.done({ name: 'the type decides' })
  }
  return exchange
}
