import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { VirtualHost } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from './build.js'
import { applyConnectionPool } from './clusters/connection-pool.js'
import { draft, finish } from './clusters/draft.js'
import { lookupFamily } from './families.js'
import { duration, NO_TIMEOUT, type TypedMessage, typed } from './message.js'
import { exchangeFilters, exchangesMetadata } from './peer-exchange.js'
import { EVERY_PATH } from './routes/match.js'

/** outboundTrafficPolicy ALLOW_ANY_DYNAMIC_DNS: HTTP requests for hosts that nobody knows go where their Host resolves to, whatever address the client meant. */

export const DYNAMIC_DNS_CLUSTER = 'AllowAnyDynamicDNSCluster'
export const DYNAMIC_DNS_ROUTE = 'allow_any_dynamic_dns'
const IDLE_TIMEOUT_MS = 300_000

export function allowsDynamicDns({ view, mesh }: Build): boolean {
  return (view.sidecar?.spec.outboundTrafficPolicy ?? mesh.outboundTrafficPolicy).mode === 'ALLOW_ANY_DYNAMIC_DNS'
}

function dnsCache(build: Build): object {
  return { name: 'allow_any_dfp_dns_cache', dns_lookup_family: lookupFamily(build), max_hosts: build.features.dynamicDnsMaxHosts }
}

export function dynamicDnsCluster(build: Build): Cluster {
  const made = draft(DYNAMIC_DNS_CLUSTER, 'STATIC', build.mesh.connectTimeout)
  delete made.cluster.type
  made.cluster.lb_policy = 'CLUSTER_PROVIDED'
  made.cluster.cluster_type = {
    name: 'envoy.clusters.dynamic_forward_proxy',
    typed_config: typed('envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig', {
      dns_cache_config: dnsCache(build),
      // Plaintext only: Envoy asks that this is said where no certificate is checked.
      allow_insecure_cluster_options: true,
    }),
  }
  applyConnectionPool(made, undefined, build)
  made.http = { protocol: 'downstream', common: { idle_timeout: duration(IDLE_TIMEOUT_MS) } }
  return finish(exchangesMetadata(build) ? { ...made, cluster: { ...made.cluster, filters: exchangeFilters(build) } } : made)
}

/** Finds the address of a request's Host before the router needs it. */
export function dynamicDnsFilter(build: Build): { readonly name: string; readonly typed_config: TypedMessage } {
  return {
    name: 'envoy.filters.http.dynamic_forward_proxy',
    typed_config: typed('envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig', {
      dns_cache_config: dnsCache(build),
    }),
  }
}

export function dynamicDnsHost(attempts: object): VirtualHost {
  const route = { cluster: DYNAMIC_DNS_CLUSTER, timeout: NO_TIMEOUT, max_grpc_timeout: NO_TIMEOUT }
  return { name: DYNAMIC_DNS_ROUTE, domains: ['*'], routes: [{ name: DYNAMIC_DNS_ROUTE, match: EVERY_PATH, route }], ...attempts }
}
