// Envoy's order for one stream (XP "Eventual consistency considerations"): what is referred to goes before what refers to it.
// Beside each type the name that Istio's metrics give it.
const ORDER: readonly (readonly [message: string, metric: string])[] = [
  ['envoy.config.cluster.v3.Cluster', 'cds'],
  ['envoy.config.endpoint.v3.ClusterLoadAssignment', 'eds'],
  ['envoy.config.endpoint.v3.LbEndpoint', 'leds'],
  ['envoy.config.listener.v3.Listener', 'lds'],
  ['envoy.config.route.v3.ScopedRouteConfiguration', 'srds'],
  ['envoy.config.route.v3.RouteConfiguration', 'rds'],
  ['envoy.config.route.v3.VirtualHost', 'vhds'],
  ['envoy.extensions.transport_sockets.tls.v3.Secret', 'sds'],
  ['envoy.config.core.v3.TypedExtensionConfig', 'ecds'],
  ['envoy.service.runtime.v3.Runtime', 'rtds'],
]

const PREFIX = 'type.googleapis.com/'
const RANK: ReadonlyMap<string, number> = new Map(ORDER.map(([message], rank) => [PREFIX + message, rank]))
const METRIC: ReadonlyMap<string, string> = new Map(ORDER.map(([message, metric]) => [PREFIX + message, metric]))
const LDS = ORDER.findIndex(([, metric]) => metric === 'lds')
const VHDS = ORDER.findIndex(([, metric]) => metric === 'vhds')

/** The place of a type in a push; types that Envoy does not know come last, in the order in which they were asked for. */
export function pushRank(typeUrl: string): number {
  return RANK.get(typeUrl) ?? ORDER.length
}

/** `cds`, `eds`, ...: the value of the `type` label; the bare message name for other types. */
export function metricType(typeUrl: string): string {
  return METRIC.get(typeUrl) ?? typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
}

/** Clusters and endpoints: traffic reaches them through listeners and routes, so these must have moved before they may go. */
export function isRemovedLast(typeUrl: string): boolean {
  return pushRank(typeUrl) < LDS
}

/** Listeners and routes: what the removals of clusters and endpoints wait for. */
export function leadsTraffic(typeUrl: string): boolean {
  const rank = pushRank(typeUrl)
  return rank >= LDS && rank <= VHDS
}
