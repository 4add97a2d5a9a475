import type { Diagnostic } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { FilterChain, Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { HttpConnectionManager } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { TcpProxy } from '@heddle/xds-types/envoy/extensions/filters/network/tcp_proxy/v3'
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE } from './message.js'
import { NO_ORIGINS, type Origins } from './provenance.js'

/** A name that a resource uses, and the messages around it, the innermost first. */
interface Reference {
  readonly kind: 'cluster' | 'route' | 'endpoints'
  readonly name: string
  readonly owners: readonly object[]
}

/**
 * References that lead nowhere. One warning per name and place in the user's config: `translate.unknown_cluster` where routes and TCP chains lead to a
 * cluster that the proxy does not get, which istiod leaves too (`validate_clusters: false`; requests get 503, connections are closed). `translate.unknown_route`
 * for a listener without its route configuration and `translate.unknown_endpoints` for a cluster without its load assignment would be mistakes of ours.
 */
export function danglingReferences(resources: ResourceSet, origins: Pick<Origins, 'of'>): Diagnostic[] {
  const found = new Map<string, Diagnostic>()
  for (const reference of dangling(resources)) {
    const diagnostic = diagnosticOf(reference, origins)
    found.set(`${diagnostic.subject} ${diagnostic.path} ${reference.name}`, diagnostic)
  }
  return [...found.values()]
}

export function hasDanglingReferences(resources: ResourceSet): boolean {
  return danglingReferences(resources, NO_ORIGINS).length > 0
}

function diagnosticOf({ kind, name, owners }: Reference, origins: Pick<Origins, 'of'>): Diagnostic {
  const [source] = owners.flatMap((owner) => [...origins.of(owner, 'cluster'), ...origins.of(owner)])
  const about = {
    severity: 'warning' as const,
    path: source?.path ?? '',
    ...(source === undefined ? {} : { subject: `${source.kind} ${source.namespace}/${source.name}` }),
  }
  if (kind === 'cluster') {
    const message = `There is no ${name} for this proxy: requests get 503, connections are closed. Check host, port and subset of the destination.`
    return { code: 'translate.unknown_cluster', message, ...about }
  }
  const message = `${name} is asked for and was not made. That is a mistake of Heddle's translator: please report it.`
  return { code: `translate.unknown_${kind}`, message, ...about }
}

function* dangling(resources: ResourceSet): Iterable<Reference> {
  const all = <T extends object>(type: string): T[] =>
    resources.groups.flatMap((g) => (g.resources.get(type) ?? []) as readonly T[])
  const clusters = all<Cluster>(CLUSTER_TYPE)
  const routes = all<RouteConfiguration>(ROUTE_TYPE)
  const known = {
    cluster: new Set(clusters.map((c) => c.name)),
    route: new Set(routes.map((r) => r.name)),
    endpoints: new Set(all<{ cluster_name?: string }>(ENDPOINT_TYPE).map((e) => e.cluster_name)),
  }
  for (const reference of referencesOf(clusters, all<Listener>(LISTENER_TYPE), routes))
    if (!known[reference.kind].has(reference.name)) yield reference
}

function* referencesOf(
  clusters: readonly Cluster[],
  listeners: readonly Listener[],
  routes: readonly RouteConfiguration[],
): Iterable<Reference> {
  for (const cluster of clusters) {
    const name = cluster.eds_cluster_config?.service_name ?? cluster.name
    if (cluster.type === 'EDS' && name !== undefined) yield { kind: 'endpoints', name, owners: [cluster] }
  }
  for (const listener of listeners) yield* inListener(listener)
  for (const configuration of routes) yield* inRoutes(configuration)
}

function* inListener(listener: Listener): Iterable<Reference> {
  const api = listener.api_listener?.api_listener
  if (api !== undefined) yield* inFilter(api, [listener])
  const { default_filter_chain: last, filter_chains: chains = [] } = listener
  for (const chain of last === undefined ? chains : [...chains, last]) yield* inChain(chain, listener)
}

function* inChain(chain: FilterChain, listener: Listener): Iterable<Reference> {
  for (const { typed_config } of chain.filters ?? [])
    if (typed_config !== undefined) yield* inFilter(typed_config, [chain, listener])
}

function* inFilter(config: object, owners: readonly object[]): Iterable<Reference> {
  const type = String((config as { '@type'?: unknown })['@type'])
  if (type.endsWith('.TcpProxy')) {
    const { cluster, weighted_clusters } = config as TcpProxy
    if (cluster !== undefined) yield { kind: 'cluster', name: cluster, owners }
    for (const { name } of weighted_clusters?.clusters ?? []) if (name !== undefined) yield { kind: 'cluster', name, owners }
  } else if (type.endsWith('.HttpConnectionManager')) {
    const { rds, route_config } = config as HttpConnectionManager
    const name = rds?.route_config_name
    if (name !== undefined) yield { kind: 'route', name, owners }
    if (route_config !== undefined) yield* inRoutes(route_config)
  }
}

function* inRoutes(configuration: RouteConfiguration): Iterable<Reference> {
  for (const host of configuration.virtual_hosts ?? []) {
    for (const route of host.routes ?? []) {
      const action = route.route
      if (action === undefined) continue
      const owners = [action, route, host]
      const { cluster, weighted_clusters, request_mirror_policies = [] } = action
      if (cluster !== undefined) yield { kind: 'cluster', name: cluster, owners }
      for (const weighted of weighted_clusters?.clusters ?? [])
        if (weighted.name !== undefined) yield { kind: 'cluster', name: weighted.name, owners: [weighted, ...owners] }
      for (const mirror of request_mirror_policies)
        if (mirror.cluster !== undefined) yield { kind: 'cluster', name: mirror.cluster, owners: [mirror, ...owners] }
    }
  }
}
