import type { DnsCacheConfig as DnsCacheProto } from '@heddle/xds-types/envoy/extensions/common/dynamic_forward_proxy/v3'
import type { DnsCacheConfig } from './compiled.js'
import type { Fields } from './fields.js'

/** dns_cache_config of the dynamic forward proxy, of its filter and of its cluster. Defaults are Envoy's. */
export function compileDnsCache(fields: Fields<DnsCacheProto> | undefined): DnsCacheConfig | undefined {
  if (fields === undefined) return undefined
  const breaker = fields.message('dns_cache_circuit_breaker')
  const config: DnsCacheConfig = {
    name: fields.string('name'),
    family: fields.choice('dns_lookup_family', ['AUTO', 'V4_ONLY', 'V6_ONLY', 'V4_PREFERRED', 'ALL'], 'AUTO'),
    refreshMs: fields.durationMs('dns_refresh_rate', 60_000),
    hostTtlMs: fields.durationMs('host_ttl', 300_000),
    maxHosts: fields.number('max_hosts', 1024),
    queryTimeoutMs: fields.durationMs('dns_query_timeout', 5_000),
    maxPendingRequests: breaker?.number('max_pending_requests', 1024) ?? 1024,
  }
  breaker?.done()
  fields.done({
    dns_min_refresh_rate: 'the system does not tell how long an answer holds',
    dns_failure_refresh_rate: 'a name that fails is asked for again with the next request',
    typed_dns_resolver_config: 'the system resolves names',
    dns_resolution_config: 'the system resolves names',
    use_tcp_for_dns_lookups: 'the system resolves names',
    disable_dns_refresh_on_failure: 'a name that fails is asked for again with the next request',
  })
  if (config.name === '') fields.problem('is required.', 'name')
  return config
}
