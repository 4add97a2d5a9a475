/** Where a thing was configured: a field of an xDS resource. Provenance leads from there to a line of YAML. */
export interface ExplainedResource {
  readonly typeUrl: string
  readonly name: string
  /** `virtual_hosts[0].routes[2]`; empty for the whole resource. */
  readonly path: string
}

/** What was considered and not taken. */
export interface Loser {
  readonly name: string
  readonly reason: string
  readonly resource?: ExplainedResource
}

/** One step of a request through the proxy. */
export interface ExplainedStage {
  readonly stage:
    | 'listener'
    | 'filter_chain'
    | 'network_filter'
    | 'http_manager'
    | 'tcp_proxy'
    | 'scope'
    | 'virtual_host'
    | 'route'
    | 'http_filter'
    | 'cluster'
    | 'endpoint'
  /** What was chosen or asked; empty when nothing fitted. */
  readonly name: string
  /** `stop`: the request ends here. */
  readonly outcome: 'chosen' | 'pass' | 'maybe' | 'reply' | 'stop'
  /** In words, for operators. */
  readonly reason?: string
  readonly losers: readonly Loser[]
  readonly resource?: ExplainedResource
}

/** The path of a request, as far as it goes. */
export interface Explanation {
  readonly stages: readonly ExplainedStage[]
  readonly result: ExplainedResult
  /** Whether the filter chain that was chosen ends TLS: what is inside goes on. */
  readonly terminatesTls: boolean
}

export type ExplainedResult =
  | { readonly kind: 'forward'; readonly cluster: string; readonly endpoint: string; readonly tls: boolean }
  | { readonly kind: 'reply'; readonly status: number; readonly details: string }
  | { readonly kind: 'close'; readonly reason: string }

export const LISTENER = 'type.googleapis.com/envoy.config.listener.v3.Listener'
export const ROUTE = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration'
export const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
export const ENDPOINT = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
export const SCOPE = 'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration'
