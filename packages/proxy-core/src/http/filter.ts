import type { Clock, Logger, Random, Result } from '@heddle/runtime'
import type { CompileDeps, CompiledCluster } from '../config/compiled.js'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import type { Connection } from '../net/connection.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { RouteDecision } from '../route/decision.js'
import type { RequestHead } from '../route/table.js'
import type { DnsCaches } from '../upstream/dns-cache.js'
import type { GrpcClient } from '../upstream/grpc-client.js'
import type { HttpClient } from '../upstream/http-client.js'
import type { HttpRequest, HttpResponse, LocalReply } from './message.js'
import type { StreamInfo } from './stream-info.js'

/** One request on its way through the filter chain, as filters see it; with what is answered, as far as it is. */
export interface HttpStream extends Pick<AccessLogEntry, 'responseHeaders' | 'responseTrailers' | 'downstreamWire'> {
  readonly request: HttpRequest
  readonly connection: Connection
  readonly info: StreamInfo
  /** Resolved before the chain runs; again after {@link clearRoute}. */
  readonly route: RouteDecision | undefined
  /** Envoy's clearRouteCache: the next reader of `route` resolves it anew; with `afresh` in the routes that are in force by now. */
  clearRoute(afresh?: boolean): void
  /** The request's body turns out to be one that cannot be taken: answers at once if no answer has begun, else resets. */
  onBroken(reply: LocalReply): void
  /** The most specific typed_per_filter_config for this filter's config name: weighted cluster, route, virtual host, route config. */
  perRouteConfig(filterName: string): unknown
  /** Those of all these levels, the most specific first. */
  perRouteConfigs(filterName: string): readonly unknown[]
}

/**
 * Envoy's semantics first: the route is resolved before the chain, response hooks run in reverse order, local replies pass
 * every response hook, and completion always runs.
 */
export interface HttpFilter {
  /** Returns at once unless it must wait: no promise on the hot path. A LocalReply ends the request here. */
  onRequest?(request: HttpRequest, stream: HttpStream): void | LocalReply | Promise<void | LocalReply>
  onResponse?(response: HttpResponse, stream: HttpStream): void | Promise<void>
  /** Once, always: stats, access logs, traces; so denials count. */
  onComplete?(info: StreamInfo): void
}

/** What a filter may use of the proxy. */
export interface FilterDeps {
  clock: Clock
  random: Random
  logger: Logger
  /** Of the node: for istio.stats, metadata exchange. */
  node: { id: string; cluster: string; metadata: Readonly<Record<string, unknown>> }
  stats: import('@heddle/runtime').MetricsRegistry
  /** stat_prefix of the HTTP manager. */
  statPrefix?: string
  /** Names that dynamic forward proxies have resolved. */
  dnsCaches?: DnsCaches
  /** Where the endpoints of a cluster in force come from. Undefined: no such cluster. */
  clusterDiscovery?(cluster: string): CompiledCluster['discovery'] | undefined
  /** Asks the management server for what a request lacks to have a route. Undefined: nothing more can be had. */
  demandRoute?(head: RequestHead): Promise<void> | undefined
  /** Asks the management server for a cluster. Undefined: it is there, or there is none. */
  demandCluster?(name: string): Promise<void> | undefined
  /** Of the listener that the chain belongs to. */
  direction: 'INBOUND' | 'OUTBOUND' | 'UNSPECIFIED'
  /** filter_metadata of a cluster in force: `istio` tells the services behind it. Undefined: no such cluster. */
  clusterMetadata?(cluster: string): Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined
  /** False once `/healthcheck/fail` was asked for. */
  healthy?(): boolean
  /** Endpoints of a cluster in force; undefined: there is none of that name. */
  clusterHealth?(cluster: string): { readonly total: number; readonly healthy: number } | undefined
  /** Requests of the filter's own, over the proxy's clusters: keys, authorization, tokens. Absent where there is no network. */
  http?: HttpClient
  /** gRPC calls of the filter's own to one of the proxy's clusters. */
  grpc?(cluster: string): GrpcClient
}

/** A request that is only thought of: what filters are asked about it by explain. */
export interface FilterQuestion {
  /** Filters may change it for those that follow; it is nobody else's. */
  readonly head: RequestHead
  readonly facts: ConnectionFacts
  /** The client's address after x-forwarded-for. */
  readonly client: string
  /** The most specific typed_per_filter_config. */
  readonly perRoute: unknown
  /** Those of all levels, the most specific first. */
  readonly perRouteConfigs: readonly unknown[]
  /** Dynamic metadata by filter namespace: what one filter says of the request, later ones read. */
  readonly metadata: Map<string, Record<string, unknown>>
  readonly clock: Clock
  readonly random: Random
}

export interface FilterAnswer {
  readonly outcome: 'pass' | 'reply' | 'maybe'
  /** In words, for operators. */
  readonly reason: string
  readonly reply?: LocalReply
}

/** One kind of HTTP filter. `decode` failing refuses the whole resource (NACK) with the reason. */
export interface HttpFilterFactory<C> {
  /** Type names without the URL prefix; TypedStruct's inner type counts. */
  readonly typeNames: readonly string[]
  decode(config: Readonly<Record<string, unknown>>, path: string, deps?: CompileDeps): Result<C>
  /** Types that {@link decodePerRoute} takes; by default those of the filter itself. */
  readonly perRouteTypeNames?: readonly string[]
  decodePerRoute?(config: Readonly<Record<string, unknown>>, path: string, deps?: CompileDeps): Result<unknown>
  create(config: C, deps: FilterDeps, name: string): (stream: HttpStream) => HttpFilter
  /** True: what the filter throws is logged and passed over. Default: the request gets 500; an answer that is there already is cut off. */
  failOpen?(config: C): boolean
  /** The same decision as the filter takes, with its reason and without effects. */
  explain?(config: C, question: FilterQuestion): FilterAnswer | undefined
}
