import type { MetricsRegistry, Random, Result, Watch } from '@heddle/runtime'
import type { AccessLogFilter } from '@heddle/xds-types/envoy/config/accesslog/v3'
import type { ConnectionFacts } from '../filters/listener/facts.js'
import type { NetworkAuthorizer } from '../filters/network/authorizer.js'
import type { DirectResponse } from '../filters/network/direct-response.js'
import type { NetworkGate } from '../filters/network/gate.js'
import type { NetworkObserver } from '../filters/network/observer.js'
import type { HttpLogOptions } from '../http/early-logs.js'
import type { FilterAnswer, FilterDeps, FilterQuestion, HttpFilter, HttpFilterFactory, HttpStream } from '../http/filter.js'
import type { ClientCertForwarding } from '../http/forwarded-client-cert.js'
import type { Http1CodecOptions } from '../http/h1/options.js'
import type { Http2Options } from '../http/h2/options.js'
import type { IpDetection } from '../http/ip-detection.js'
import type { ProxyStatusConfig } from '../http/proxy-status.js'
import type { MatchTree } from '../matcher/match-tree.js'
import type { Connection, ServedAt, SocketAddress } from '../net/connection.js'
import type { PeerRules } from '../net/peer-rules.js'
import type { ClientTlsContext, ServerTlsContext } from '../net/tls.js'
import type { WantedFingerprints } from '../net/tls-fingerprint.js'
import type { AccessLogConfig, AccessLogSinks } from '../observe/access-log.js'
import type { LogPredicate } from '../observe/access-log-filter.js'
import type { ScopedRouting } from '../route/scope.js'
import type { RequestHead, RouteTable, RouteTarget } from '../route/table.js'
import type { Runtime } from '../runtime.js'
import type { AutoSni } from '../upstream/auto-sni.js'
import type { Endpoint, EndpointSet } from '../upstream/endpoint.js'
import type { HealthCheck } from '../upstream/health-check/health-check.js'
import type { LoadBalancerDeps, Picker } from '../upstream/load-balancer.js'
import type { DataSourceReads } from './data-source.js'
import type { ExpectedFilter, FilterConfigSource } from './discovered-filter.js'
import type { ApplyMutation } from './header-mutations.js'
import type { RewriteLocalReply } from './http-local-reply.js'
import type { PeerExchange } from './metadata-exchange.js'
import type { ProxyProtocolFilter, UpstreamProxyProtocol } from './proxy-protocol.js'
import type { CompiledTracing } from './tracing.js'
import type { TunnelRequest } from './tunneling.js'

/** Envoy's listeners and clusters as the data path wants them: parsed once, checked once, immutable. */

export interface CompiledListener {
  readonly name: string
  readonly address: SocketAddress
  readonly additionalAddresses: readonly SocketAddress[]
  /** Names its statistics; empty: its address does. */
  readonly statPrefix: string
  readonly direction: 'INBOUND' | 'OUTBOUND' | 'UNSPECIFIED'
  readonly bindToPort: boolean
  /** Connections go on at the listener of their original destination, where there is one. */
  readonly useOriginalDst: boolean
  /** Its socket takes what a TPROXY rule brings. */
  readonly transparent: boolean
  /** drain_type DEFAULT: its connections drain while `/healthcheck/fail` is in force. */
  readonly drainsWhenFailed: boolean
  /** Of connections, written when they end. */
  readonly accessLogs: readonly AccessLogConfig[]
  /** As configured: connections are known alike by two listeners only if these are equal. */
  readonly listenerFilterMessages: readonly unknown[]
  readonly listenerFilters: readonly ('tls_inspector' | 'http_inspector' | 'original_dst' | 'original_src' | 'proxy_protocol')[]
  /** Of original_src: the mark of connections that keep their client's address; undefined without that filter. */
  readonly originalSrcMark?: number
  readonly proxyProtocol?: ProxyProtocolFilter
  /** Of tls_inspector. */
  readonly fingerprints?: WantedFingerprints
  /** False: filter_disabled switches this filter off for connections to that port. */
  listenerFilterEnabled(name: CompiledListener['listenerFilters'][number], destinationPort: number): boolean
  /** 0: wait for ever. */
  readonly listenerFiltersTimeoutMs: number
  readonly continueOnListenerFiltersTimeout: boolean
  /** Envoy's precedence: destination port, destination IP, server name, transport, ALPN, source ...; the default chain; undefined. */
  chainFor(facts: ConnectionFacts): CompiledFilterChain | undefined
  /** The chains that {@link chainFor} does not take, each with the first criterion in which it fell behind. */
  explainChains(facts: ConnectionFacts): readonly { readonly chain: CompiledFilterChain; readonly reason: string }[]
  readonly filterChains: readonly CompiledFilterChain[]
  readonly defaultFilterChain?: CompiledFilterChain
}

export interface CompiledFilterChain {
  readonly name: string
  /** Undefined: raw_buffer. */
  readonly tls?: ServerTlsContext
  /** As configured: an open connection can go on under another chain only if these are equal. */
  readonly transportSocket?: unknown
  readonly transportSocketConnectTimeoutMs: number
  /** What its connections tell of it. */
  readonly servedAt?: ServedAt
  /** Network filters before the terminal one that count connections: connection and rate limits. */
  readonly gates: readonly NetworkGate[]
  /** Those that judge a connection by what is known of it (network RBAC), when it starts and when the listener changes. */
  readonly guards: readonly NetworkGuard[]
  /** Those that ask another service (network ext_authz), in order, about a connection that every guard lets in. */
  readonly authorizers: readonly NetworkAuthorizer[]
  /** Those that watch what becomes of a TCP proxy's connections (istio.stats). */
  readonly observers: readonly NetworkObserver[]
  /** Clients of its TCP proxy that agree on it say who they are first. An HTTP manager has headers for it. */
  readonly exchange?: PeerExchange
  readonly terminal: HttpManager | TcpProxy | DirectResponse
}

export interface NetworkGuard {
  readonly name: string
  /** False closes the connection. */
  allow(facts: ConnectionFacts): boolean
  /** Where `allow` says no: CONNECTION_TERMINATION_DETAILS of access logs. */
  terminationDetails(facts: ConnectionFacts): string
  /** Why `allow` says what it says, for logs and explain; never for the peer. */
  explain(facts: ConnectionFacts): string
  /** Of shadow rules: why they would have denied it. Undefined: they would not. */
  rehearse?(facts: ConnectionFacts): string | undefined
  /** Dynamic metadata that it leaves with the connection: what shadow rules would have decided. */
  metadata?(facts: ConnectionFacts): readonly [namespace: string, values: Readonly<Record<string, unknown>>] | undefined
  /** A connection was judged: statistics. */
  count?(facts: ConnectionFacts, registry: MetricsRegistry): void
}

export interface TcpProxy {
  readonly kind: 'tcp_proxy'
  /** Where it stands in its filter chain: `filters[1].typed_config`. */
  readonly path: string
  readonly statPrefix: string
  /** The cluster, after weights and dice; where sni_cluster stands before it, that of the server name, if the client asks for one. */
  target(random: Random, serverName?: string): TcpTarget
  /** Of hash_policy, for balancers that hash. */
  hash?(connection: Connection): bigint | undefined
  /** tunneling_config: endpoints are HTTP proxies, and asked so for a tunnel. */
  readonly tunnel?: TunnelRequest
  /** Connections that are tried, each on an endpoint picked anew. */
  readonly maxConnectAttempts: number
  /** sni_dynamic_forward_proxy: a server name is looked up, in the cluster's own cache, before its cluster is asked for it on `port`. */
  readonly sniForward?: { readonly cache: DnsCacheConfig; readonly port: number } | undefined
  /** 0: none. Envoy's default is an hour. */
  readonly idleTimeoutMs: number
  /** 0: none. */
  readonly maxConnectionDurationMs: number
  /** Clusters that it may choose. */
  readonly clusters: readonly string[]
  readonly accessLogs: readonly AccessLogConfig[]
  /** access_log_options; absent: one line, at the end. */
  readonly logOptions?: TcpLogOptions
}

/** Where connections of a tcp_proxy go. */
export type TcpTarget = Pick<RouteTarget, 'cluster' | 'metadataMatch'>

export interface TcpLogOptions {
  readonly onStart: boolean
  readonly onConnected: boolean
  /** Milliseconds; 0: only at the end. */
  readonly flushIntervalMs: number
}

/** One filter of an HTTP manager, with its config decoded. */
export interface CompiledHttpFilter {
  readonly name: string
  create(deps: FilterDeps): (stream: HttpStream) => HttpFilter
  /** What the filter would do to a request, without doing it; undefined: nothing to tell. */
  explain?(question: FilterQuestion): FilterAnswer | undefined
}

/** HttpConnectionManager, compiled. */
export interface HttpManager extends ClientCertForwarding {
  readonly kind: 'http_connection_manager'
  /** Where it stands in its filter chain: `filters[1].typed_config`. */
  readonly path: string
  readonly statPrefix: string
  readonly codec: 'AUTO' | 'HTTP1' | 'HTTP2'
  readonly routes:
    | { readonly kind: 'inline'; readonly table: RouteTable }
    | { readonly kind: 'rds'; readonly name: string }
    /** scoped_routes: each request has the table that its headers lead to. */
    | ({ readonly kind: 'scoped' } & ScopedRouting)
  /** In order, without the router, which ends every chain. */
  readonly filters: readonly CompiledHttpFilter[]
  /** Filters among them whose config comes by ECDS. */
  readonly discovered: readonly ExpectedFilter[]
  readonly accessLogs: readonly AccessLogConfig[]
  /** access_log_options; absent: lines are written at the end alone. */
  readonly logOptions?: HttpLogOptions
  readonly tracing?: CompiledTracing
  /** local_reply_config. */
  readonly localReply?: RewriteLocalReply
  readonly serverName: string
  readonly serverHeader: 'OVERWRITE' | 'APPEND_IF_ABSENT' | 'PASS_THROUGH'
  readonly via: string
  readonly useRemoteAddress: boolean
  /** original_ip_detection_extensions, in order; absent: x-forwarded-for by xffNumTrustedHops. */
  readonly ipDetection?: readonly IpDetection[]
  /** user-agent where there is none, and who the proxy is. */
  readonly addUserAgent: boolean
  /** Runtime http_reject_path_with_fragment is off: a fragment is cut off instead of refused. */
  readonly stripFragment: boolean
  readonly xffNumTrustedHops: number
  /** forward_client_cert_matcher: other settings of x-forwarded-client-cert for some requests. */
  readonly clientCertMatcher?: MatchTree<RequestHead, ClientCertForwarding>
  readonly proxyStatus?: ProxyStatusConfig
  readonly generateRequestId: boolean
  readonly preserveExternalRequestId: boolean
  readonly normalizePath: boolean
  readonly mergeSlashes: boolean
  readonly escapedSlashes: 'KEEP_UNCHANGED' | 'REJECT_REQUEST' | 'UNESCAPE_AND_REDIRECT' | 'UNESCAPE_AND_FORWARD'
  readonly headersWithUnderscores: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER'
  readonly stripMatchingHostPort: boolean
  /** Milliseconds; 0: off. */
  readonly timeouts: {
    idle: number
    streamIdle: number
    request: number
    requestHeaders: number
    drain: number
    /** A share of `drain` that may be added, by chance. Absent: none. */
    drainJitter?: number
    delayedClose: number
    maxConnectionDuration: number
    maxStreamDuration: number
  }
  /** A connection of HTTP/1 that is too old goes with its next response, not when it is idle. */
  readonly http1SafeMaxConnectionDuration: boolean
  /** 60 by default. */
  readonly maxRequestHeadersKb: number
  readonly maxHeadersCount: number
  readonly maxRequestsPerConnection: number
  readonly acceptHttp10: boolean
  readonly http2: Http2Options
  /** Lower case: `websocket`, `connect`. */
  readonly upgrades: ReadonlySet<string>
  readonly stripAnyHostPort: boolean
  readonly stripTrailingHostDot: boolean
  readonly proxy100Continue: boolean
  readonly enableTrailers: boolean
  readonly http1?: Http1CodecOptions
  readonly skipXffAppend: boolean
  /** scheme_header_transformation: what every request is said to have come by. */
  readonly schemeToOverwrite?: 'http' | 'https'
  readonly appendXForwardedPort: boolean
  /** forward_proto_config: what x-forwarded-proto says of a connection that was meant for this port, by PROXY protocol or redirection. */
  readonly protoByPort?: ReadonlyMap<number, 'http' | 'https'>
  /** early_header_mutation_extensions. */
  readonly earlyMutations?: readonly ApplyMutation[]
  readonly alwaysSetRequestIdInResponse: boolean
  /** internal_address_config: whether a trusted client address counts as internal. */
  isInternalAddress(address: string): boolean
  /** Of the router filter: no x-envoy-* headers of our own. */
  readonly suppressEnvoyHeaders: boolean
}

export interface CircuitBreakerLimits {
  readonly maxConnections: number
  readonly maxPendingRequests: number
  readonly maxRequests: number
  readonly maxRetries: number
  /** Replaces maxRetries: retries may be `percent` of the active requests, and always `minConcurrency`. */
  readonly retryBudget?: { readonly percent: number; readonly minConcurrency: number }
}

export interface OutlierConfig {
  readonly consecutive5xx: number
  readonly consecutiveGatewayFailure: number
  readonly enforcingConsecutive5xx: number
  readonly enforcingConsecutiveGatewayFailure: number
  readonly splitExternalLocalOriginErrors: boolean
  readonly consecutiveLocalOriginFailure: number
  readonly enforcingConsecutiveLocalOriginFailure: number
  readonly intervalMs: number
  readonly baseEjectionTimeMs: number
  readonly maxEjectionTimeMs: number
  readonly maxEjectionPercent: number
  /** The first may be ejected whatever the percentage. */
  readonly alwaysEjectOneHost: boolean
  readonly maxEjectionTimeJitterMs: number
  /** An endpoint that passes an active check comes back at once. */
  readonly unejectOnActiveSuccess: boolean
  readonly successRate: {
    readonly enforcing: number
    readonly minimumHosts: number
    readonly requestVolume: number
    readonly stdevFactor: number
  }
  readonly failurePercentage: {
    readonly enforcing: number
    readonly threshold: number
    readonly minimumHosts: number
    readonly requestVolume: number
  }
}

export interface CompiledCluster {
  readonly name: string
  readonly altStatName: string
  readonly discovery:
    | { readonly kind: 'STATIC'; readonly endpoints: EndpointSet }
    /** The addresses of `endpoints` are host names. */
    | { readonly kind: 'STRICT_DNS' | 'LOGICAL_DNS'; readonly endpoints: EndpointSet; readonly dns: DnsConfig }
    | { readonly kind: 'EDS'; readonly serviceName: string }
    /** `port` replaces the port of the original destination. */
    | { readonly kind: 'ORIGINAL_DST'; readonly port?: number; readonly headerName?: string }
    /** The Host of each request, resolved by the filter of that name, which shares the cache. */
    | { readonly kind: 'DYNAMIC_FORWARD_PROXY'; readonly defaultPort: number; readonly cache: DnsCacheConfig }
    /** Of other clusters, in the order in which they are preferred. */
    | { readonly kind: 'AGGREGATE'; readonly clusters: readonly string[] }
  readonly connectTimeoutMs: number
  createPicker(endpoints: EndpointSet, deps: LoadBalancerDeps): Picker
  /** healthy_panic_threshold in percent. */
  readonly panicThreshold: number
  /** override_host_status: the health in which an endpoint may be chosen by name. */
  readonly overrideHostStatus: ReadonlySet<string>
  readonly circuitBreakers: CircuitBreakerLimits
  /** Of routes of priority HIGH. */
  readonly highCircuitBreakers: CircuitBreakerLimits
  /** cleanup_interval: how often destinations that nobody uses are forgotten; 5,000 by default. */
  readonly cleanupIntervalMs: number
  readonly outlier?: OutlierConfig
  readonly healthCheck?: HealthCheck
  /** An endpoint that EDS no longer names goes at once, even while its checks pass. */
  readonly ignoreHealthOnHostRemoval: boolean
  readonly closeConnectionsOnHealthFailure: boolean
  /** Endpoints that no check has judged yet do not count in the sizes of priorities. */
  readonly ignoreNewHostsUntilFirstCheck: boolean
  /** Which TLS context an endpoint gets; undefined: plaintext. */
  tlsFor(endpoint: Endpoint): ClientTlsContext | undefined
  /** Whether an endpoint is sent a PROXY header first; absent: none is. */
  proxyProtocolFor?(endpoint: Endpoint): UpstreamProxyProtocol | undefined
  readonly http: {
    readonly protocol: 'HTTP1' | 'HTTP2' | 'USE_DOWNSTREAM' | 'AUTO'
    /** The request chooses the server name. */
    readonly autoSni?: AutoSni
    readonly idleTimeoutMs: number
    readonly maxRequestsPerConnection: number
    readonly maxConnectionDurationMs: number
    /** Of one attempt; 0: none. */
    readonly maxStreamDurationMs: number
    /** Trailers of HTTP/1 are passed on. */
    readonly enableTrailers: boolean
    readonly http1?: Http1CodecOptions
    readonly http2: Http2Options
    /** Of responses. */
    readonly maxHeadersCount: number
    readonly maxHeadersKb: number
  }
  /** A TCP proxy and its endpoints say first who they are, where they agree on it. */
  readonly exchange?: PeerExchange
  /** `istio` metadata of the cluster: the services behind it, for telemetry. */
  readonly metadata: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** upstream_bind_config: outgoing connections are bound to the first of the family that they go to. */
  readonly sourceAddresses: readonly string[]
}

export interface DnsConfig {
  readonly refreshMs: number
  readonly respectTtl: boolean
  readonly family: 'AUTO' | 'V4_ONLY' | 'V6_ONLY' | 'V4_PREFERRED' | 'ALL'
}

/** dns_cache_config: caches of one name are one. */
export interface DnsCacheConfig {
  readonly name: string
  readonly family: DnsConfig['family']
  readonly refreshMs: number
  /** How long a name that nobody asks for is kept. */
  readonly hostTtlMs: number
  readonly maxHosts: number
  readonly queryTimeoutMs: number
  readonly maxPendingRequests: number
}

/** What compiling asks of the proxy around it. No part of it is called again after compiling, but `secrets`' watches and `hash64` live on. */
export interface CompileDeps extends DataSourceReads {
  readonly secrets: SecretSource
  /** A cluster of this name is in force or on its way; without it `validate_clusters` asks nobody. */
  hasCluster?(name: string): boolean
  /** Filters that may stand in an HTTP manager: `filters/defaults` and the user's own. */
  readonly httpFilters: readonly HttpFilterFactory<unknown>[]
  /** Compiles one envoy.config.accesslog.v3.AccessLog. */
  accessLog(config: Readonly<Record<string, unknown>>, path: string): Result<AccessLogConfig>
  /** Compiles one envoy.config.accesslog.v3.AccessLogFilter. */
  logFilter(filter: AccessLogFilter, path: string): Result<LogPredicate>
  /** xxHash64 of the UTF-8 bytes, seed 0 by default; `createHash64()` of upstream/hash makes it. */
  hash64(text: string, seed?: bigint): bigint
  /** Filter configs of ECDS; without it config_discovery is refused. */
  readonly extensions?: FilterConfigSource
  /** VHDS can be asked: the stream is one of Delta. Without it `vhds` is refused. */
  readonly vhds?: boolean
  /** What is laid over default values of runtime keys; without it nothing is. */
  runtime?: Runtime
  /** Where events of health checks are written; without it nowhere. */
  sink?: AccessLogSinks
  /** Files that are no text: descriptor sets. Undefined: no such file. */
  readBytes?(path: string): Uint8Array | undefined
}

/** Where compiled TLS contexts get their key material: SDS over ADS, files, inline, or the agent's own identity. */
export interface SecretSource {
  /** The same Watch for the same name while anybody holds it. Undefined inside: not there yet. */
  watch(name: string): Watch<Secret | undefined>
  /** This source alone answers for the name: a management server is not asked for it. None, when absent. */
  owns?(name: string): boolean
}

export interface Secret {
  readonly name: string
  readonly certificateChain?: string
  readonly privateKey?: string
  readonly trustBundle?: string
  /** Of a generic secret. */
  readonly generic?: string
  readonly crl?: string
  /** Of a validation context, beside its trust anchors. */
  readonly rules?: PeerRules
}
