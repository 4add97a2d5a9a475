import type { Random } from '@heddle/runtime'
import type { FilterMetadata } from '../config/metadata.js'
import type { HeaderMap } from '../http/header-map.js'
import type { HttpRequest } from '../http/message.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { RouteTracing } from '../observe/tracing/request-trace.js'
import type { RoutePriority } from '../upstream/cluster.js'
import type { Endpoint } from '../upstream/endpoint.js'
import type { RouteDecision } from './decision.js'
import type { HeaderMutation } from './header-mutation.js'
import type { InternalRedirectPolicy } from './internal-redirect.js'
import type { RateLimitRule } from './rate-limit.js'

/** The part of a request that matching looks at. */
export type RequestHead = Pick<
  HttpRequest,
  'method' | 'scheme' | 'authority' | 'path' | 'headers' | 'clientCertificate' | 'metadata'
>

export interface RouteTarget {
  readonly cluster: string
  /** Of the weighted cluster, if it is one: its header mutations and per-filter config. */
  readonly requestHeaders?: HeaderMutation
  readonly responseHeaders?: HeaderMutation
  readonly perFilterConfig?: ReadonlyMap<string, unknown>
  /** host_rewrite_literal of the weighted cluster. */
  readonly hostRewrite?: string
  /** metadata_match for subset load balancing. */
  readonly metadataMatch?: Readonly<Record<string, unknown>>
}

export interface RetryPolicy {
  readonly on: ReadonlySet<string>
  readonly statusCodes: ReadonlySet<number>
  readonly numRetries: number
  /** 0: no limit of its own. */
  readonly perTryTimeoutMs: number
  /** per_try_idle_timeout: an attempt that has had no answer for so long has failed. */
  readonly perTryIdleTimeoutMs?: number
  readonly backoffBaseMs: number
  readonly backoffMaxMs: number
  readonly avoidPreviousHosts: boolean
  /** omit_canary_hosts and omit_host_metadata: endpoints that retries stay away from. */
  readonly rejectsHost?: (endpoint: Endpoint) => boolean
  /** previous_priorities: after so many attempts their priorities are avoided. */
  readonly avoidPriorities?: number
  /** rate_limited_retry_back_off: when the answer says to come again, in milliseconds from `now`; undefined: it does not, or too late. */
  readonly rateLimitedDelayMs?: (headers: HeaderMap, now: number) => number | undefined
  readonly hostSelectionAttempts: number
  /** For `retriable-headers`: a response with one of them is retried. */
  readonly retriableHeaders?: (headers: HeaderMap, status: number) => boolean
  /** Only requests for which it is true are retried. */
  readonly retriableRequest?: (head: RequestHead) => boolean
}

/** Where copies of a request go. */
export interface Mirror {
  /** Undefined: of this request no copy is made. */
  cluster(head: RequestHead): string | undefined
  /** Of the requests, from 0 to 1. */
  fraction(): number
  /** The copy's Host says `-shadow`. */
  readonly appendShadow: boolean
  /** The copy's Host, as it stands. */
  readonly hostRewrite?: string
  /** trace_sampled: whether the copy is traced. Absent: as the request itself. */
  readonly traceSampled?: boolean
  /** request_headers_mutations of the copy. */
  mutate(headers: HeaderMap, entry: AccessLogEntry): void
}

/** Everything that forwarding a request needs, compiled. */
export interface GrpcTimeoutLimits {
  readonly maxMs: number
  readonly offsetMs: number
}

/** What a weighted cluster is chosen by. */
export interface ClusterWeight {
  readonly cluster: string
  readonly weight: number
}

export interface ForwardAction {
  readonly kind: 'forward'
  target(head: RequestHead, random: Random): RouteTarget
  /** What `target` chooses from, for explain; undefined: there is one only. */
  readonly weights?: readonly ClusterWeight[]
  /** Whose limits of the circuit breakers hold. */
  readonly priority: RoutePriority
  /** 0: none. */
  readonly timeoutMs: number
  readonly idleTimeoutMs?: number
  readonly retry?: RetryPolicy
  /** Applies path and host rewrites, and keeps what was there in x-envoy-original-path and -host. {@link finalizeRequest} calls it. */
  rewrite(request: HttpRequest, target: RouteTarget, entry: AccessLogEntry): void
  /** Of the hash policies; `source` is the client's address. A cookie policy with a ttl that found no cookie gives one to set. */
  hash(head: RequestHead, source: string, setCookie?: (cookie: string) => void): bigint | undefined
  /** rate_limits and include_vh_rate_limits, for the rate limit filter. */
  readonly rateLimits?: readonly RateLimitRule[]
  readonly includesVirtualHostRateLimits?: boolean
  readonly mirrors: readonly Mirror[]
  readonly internalRedirect?: InternalRedirectPolicy
  /** Lower case: upgrades that this route allows or forbids against the manager's own list. */
  readonly upgrades: ReadonlyMap<string, boolean>
  /** connect_config: a CONNECT ends here, its bytes go to the endpoint over TCP. */
  readonly terminatesConnect: boolean
  /** Of an unknown cluster: 503, 404 or 500. */
  readonly clusterNotFoundStatus: number
  /** 0: none. Undefined: the manager's. */
  readonly maxStreamDurationMs?: number
  /** max_grpc_timeout. Present: a grpc-timeout header becomes the timeout, cut to `maxMs` (0: not cut), less `offsetMs`. */
  readonly grpcTimeout?: GrpcTimeoutLimits
  /** grpc_timeout_header_max: the same for the duration of the whole stream. */
  readonly grpcTimeoutHeaderMax?: GrpcTimeoutLimits
  /** auto_host_rewrite: the Host becomes the chosen endpoint's hostname. */
  readonly autoHostRewrite: boolean
  /** append_x_forwarded_host, for auto_host_rewrite. */
  readonly appendForwardedHost: boolean
}

export type RouteAction =
  | ForwardAction
  | { readonly kind: 'reply'; reply(head: RequestHead): import('../http/message.js').LocalReply }

/** One reason why a route did not match, for explain: `header username is absent, wanted exact "nolen"`. */
export type MatchVerdict = { readonly matched: true } | { readonly matched: false; readonly reason: string }

export interface CompiledRoute {
  readonly name: string
  /** Place in its virtual host. */
  readonly index: number
  /** Fast path. */
  matches(head: RequestHead, random: Random): boolean
  /** The same predicates, with the first that failed in words. */
  explainMatch(head: RequestHead, random: Random): MatchVerdict
  readonly action: RouteAction
  readonly requestHeaders: HeaderMutation
  readonly responseHeaders: HeaderMutation
  readonly perFilterConfig: ReadonlyMap<string, unknown>
  /** per_request_buffer_limit_bytes: how long a body may be that is kept for retries. */
  readonly bufferLimitBytes?: number
  /** filter_metadata, for %METADATA(ROUTE:…)%. */
  readonly metadata?: FilterMetadata | undefined
  readonly statPrefix?: string
  /** tracing and decorator. */
  readonly tracing?: RouteTracing
}

export interface CompiledVirtualHost {
  readonly name: string
  /** filter_metadata, for %METADATA(VIRTUAL_HOST:…)%. */
  readonly metadata?: FilterMetadata | undefined
  readonly domains: readonly string[]
  readonly rateLimits?: readonly RateLimitRule[]
  readonly routes: readonly CompiledRoute[]
  /** `matcher`: the routes to try for a request, in place of `routes`. Undefined inside: none. */
  routesOf?(head: RequestHead): readonly CompiledRoute[] | undefined
  /** The virtual cluster of a request: a name for its statistics and logs. */
  virtualClusterOf?(head: RequestHead): string | undefined
  readonly requestHeaders: HeaderMutation
  readonly responseHeaders: HeaderMutation
  readonly perFilterConfig: ReadonlyMap<string, unknown>
  readonly includeAttemptCountInRequest: boolean
  readonly includeAttemptCountInResponse: boolean
  /** per_request_buffer_limit_bytes, for routes without one. */
  readonly bufferLimitBytes?: number
  /** ALL, EXTERNAL_ONLY or NONE (require_tls). */
  readonly requireTls: 'NONE' | 'EXTERNAL_ONLY' | 'ALL'
}

/** A RouteConfiguration, compiled. */
export interface RouteTable {
  readonly name: string
  readonly virtualHosts: readonly CompiledVirtualHost[]
  readonly requestHeaders: HeaderMutation
  readonly responseHeaders: HeaderMutation
  readonly mostSpecificHeaderMutationsWins: boolean
  readonly perFilterConfig: ReadonlyMap<string, unknown>
  /** internal_only_headers, lower case: taken off requests that are not internal. */
  readonly internalOnlyHeaders: readonly string[]
  /** Further virtual hosts can be had of VHDS, by name. */
  readonly vhds?: boolean
  /** Clusters that any route names. */
  readonly clusters: ReadonlySet<string>
  /** Envoy's order: exact domain, longest suffix, longest prefix, `*`. */
  virtualHostOf(authority: string): CompiledVirtualHost | undefined
  resolve(head: RequestHead, random: Random): RouteDecision
  /** The virtual hosts that {@link virtualHostOf} does not take, with why. */
  explainVirtualHosts(authority: string): readonly { readonly virtualHost: CompiledVirtualHost; readonly reason: string }[]
}
