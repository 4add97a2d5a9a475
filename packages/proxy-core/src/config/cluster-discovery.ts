import type { Cluster, Cluster_CustomClusterType, Cluster_OriginalDstLbConfig } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterConfig as AggregateConfig } from '@heddle/xds-types/envoy/extensions/clusters/aggregate/v3'
import type { ClusterConfig as ForwardConfig } from '@heddle/xds-types/envoy/extensions/clusters/dynamic_forward_proxy/v3'
import { asciiLower } from '../matcher/ascii.js'
import { NO_ENDPOINTS } from '../upstream/endpoint-set.js'
import type { CompiledCluster, DnsConfig } from './compiled.js'
import { compileDnsCache } from './dns-cache.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileEndpointSet } from './load-assignment.js'

type Discovery = CompiledCluster['discovery']

const KINDS = ['STATIC', 'STRICT_DNS', 'LOGICAL_DNS', 'EDS', 'ORIGINAL_DST'] as const

/** Where a cluster's endpoints come from: `type`, or one of the cluster_type extensions. */
export function compileDiscovery(fields: Fields<Cluster>, name: string): Discovery {
  const kind = fields.choice('type', KINDS, 'STATIC')
  const assignment = fields.message('load_assignment')
  const looksUp = kind === 'STRICT_DNS' || kind === 'LOGICAL_DNS'
  const endpoints = assignment === undefined ? NO_ENDPOINTS : compileEndpointSet(assignment, looksUp)
  const dns = compileDns(fields)
  const eds = fields.message('eds_cluster_config')
  const serviceName = eds?.string('service_name', name) ?? name
  eds?.done({ eds_config: 'endpoints come from where the cluster came from' })
  const original = compileOriginal(fields.message('original_dst_lb_config'))
  const custom = fields.message('cluster_type')
  if (custom !== undefined) return compileCustom(custom, fields)
  if (kind === 'LOGICAL_DNS' && (endpoints.endpoints.length !== 1 || endpoints.localities.length !== 1))
    fields.problem('LOGICAL_DNS wants one locality with one endpoint.', 'load_assignment')
  if (kind === 'ORIGINAL_DST' && endpoints.localities.length > 0)
    fields.problem('ORIGINAL_DST has no endpoints of its own.', 'load_assignment')
  if (kind === 'EDS' && eds === undefined) fields.problem('is required for EDS.', 'eds_cluster_config')
  switch (kind) {
    case 'EDS':
      return { kind, serviceName: serviceName === '' ? name : serviceName }
    case 'ORIGINAL_DST':
      return original
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

function compileOriginal(fields: Fields<Cluster_OriginalDstLbConfig> | undefined): Discovery {
  if (fields === undefined) return { kind: 'ORIGINAL_DST' }
  const port = fields.number('upstream_port_override')
  const byHeader = fields.boolean('use_http_header')
  const headerName = asciiLower(fields.string('http_header_name', 'x-envoy-original-dst-host'))
  fields.done()
  return { kind: 'ORIGINAL_DST', ...(port !== 0 && { port }), ...(byHeader && { headerName }) }
}

const AGGREGATE = 'envoy.extensions.clusters.aggregate.v3.ClusterConfig'
const DYNAMIC_FORWARD_PROXY = 'envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig'

function compileCustom(custom: Fields<Cluster_CustomClusterType>, fields: Fields<Cluster>): Discovery {
  const config = custom.any('typed_config')
  custom.done({ name: 'the type decides' })
  if (config?.typeName === AGGREGATE) {
    const inner = fieldsOf<AggregateConfig>(config, fields as Fields<never>)
    const clusters = inner.strings('clusters')
    inner.done()
    if (clusters.length === 0) inner.problem('needs at least one cluster.', 'clusters')
    return { kind: 'AGGREGATE', clusters }
  }
  if (config?.typeName === DYNAMIC_FORWARD_PROXY) {
    const inner = fieldsOf<ForwardConfig>(config, fields as Fields<never>)
    const cache = compileDnsCache(inner.message('dns_cache_config'))
    inner.done()
    if (cache === undefined) inner.problem('is required.', 'dns_cache_config')
    const defaultPort = fields.has('transport_socket') ? 443 : 80
    return { kind: 'DYNAMIC_FORWARD_PROXY', defaultPort, cache: cache ?? { ...NO_CACHE } }
  }
  custom.problem(`${config?.typeName ?? 'nothing'} is not supported.`, 'typed_config')
  return { kind: 'STATIC', endpoints: NO_ENDPOINTS }
}

const NO_CACHE = {
  name: '',
  family: 'AUTO',
  refreshMs: 60_000,
  hostTtlMs: 300_000,
  maxHosts: 1024,
  queryTimeoutMs: 5_000,
  maxPendingRequests: 1024,
} as const
