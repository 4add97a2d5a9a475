import { parseDuration } from '@heddle/config-model'

/**
 * istiod's feature switches: environment variables of the control plane that change what proxies get. Named, read and defaulted as istiod does;
 * variables that are not here change nothing.
 */
export interface PilotFeatures {
  /** PILOT_ENABLE_AMBIENT, default false: workloads without sidecars are in the mesh through L4 proxies and waypoints. */
  readonly ambient: boolean
  /** PILOT_ENABLE_SENDING_HBONE, default as `ambient`: proxies reach workloads of ambient mode through HBONE. */
  readonly sendHbone: boolean
  /** PILOT_PREFER_SENDING_HBONE, default false: through HBONE also where an endpoint takes mTLS of sidecars. */
  readonly preferHbone: boolean
  /** PILOT_ENABLE_SIDECAR_LISTENING_HBONE, default as `ambient`: a sidecar whose node metadata says ENABLE_HBONE takes HBONE. */
  readonly listenHbone: boolean
  /** AMBIENT_ENABLE_MULTI_NETWORK, default as `ambient`: waypoints reach other networks by a tunnel inside a tunnel. */
  readonly ambientMultiNetwork: boolean
  /** AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY, default false: policies of a dry run go to L4 proxies too. One before 1.29 would enforce them. */
  readonly ambientDryRun: boolean
  /** PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS, default false: with several providers of CUSTOM on a workload everything that they select is refused. */
  readonly multipleCustomProviders: boolean
  /** PILOT_TRACE_SAMPLING, default 1: per cent of requests that are traced where nobody says another. */
  readonly traceSampling: number
  /** PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY, default true: what a gateway calls is a span of its own. */
  readonly gatewayUpstreamSpan: boolean
  /** PILOT_SCOPE_GATEWAY_TO_NAMESPACE, default false: a Gateway selects proxies of its own namespace only. */
  readonly scopeGateways: boolean
  /** ISTIO_DUAL_STACK, default false: proxies of both families listen, call and are called on both. */
  readonly dualStack: boolean
  /** ISTIO_ENABLE_IPV4_OUTBOUND_LISTENER_FOR_IPV6_CLUSTERS, default false: proxies of IPv6 alone take and resolve IPv4, too. */
  readonly ipv4BesideIpv6: boolean
  /** PILOT_ENABLE_METADATA_EXCHANGE, default true. */
  readonly metadataExchange: boolean
  /** PILOT_MX_ADDITIONAL_LABELS, default none: labels of workloads that peers tell each other, besides those of metrics. */
  readonly exchangedLabels: readonly string[]
  /** PILOT_ENABLE_TELEMETRY_LABEL, default true: clusters say which service they are, for metrics of what never got an answer. */
  readonly clusterTelemetry: boolean
  /** PILOT_ENDPOINT_TELEMETRY_LABEL, default true, false without the former: endpoints say which workload they are. */
  readonly endpointTelemetry: boolean
  /** PILOT_DISABLE_MX_ALPN, default false: metadata is exchanged over HTTP only. */
  readonly withoutExchangeAlpn: boolean
  /** PILOT_ENABLE_ALPN_FILTER, default true. */
  readonly alpnFilter: boolean
  /** PILOT_HTTP10, default false: HTTP/1.0 is spoken, too. */
  readonly http10: boolean
  /** PILOT_SIDECAR_USE_REMOTE_ADDRESS, default false: outbound, x-forwarded-for has the application's address. */
  readonly useRemoteAddress: boolean
  /** ENABLE_100_CONTINUE_HEADERS, default true: `Expect: 100-continue` is for the application to answer. */
  readonly continueHeaders: boolean
  /** ISTIO_DEFAULT_REQUEST_TIMEOUT in milliseconds, default 0: none, of routes that say nothing. */
  readonly requestTimeout: number
  /** PILOT_GATEWAY_TRANSPORT_SOCKET_CONNECT_TIMEOUT in milliseconds, default 15,000: what a TLS handshake with a listener may take; 0: any time. */
  readonly handshakeTimeout: number
  /** PILOT_DNS_JITTER_DURATION in milliseconds, default 100. */
  readonly dnsJitter: number
  /** PILOT_DNS_CARES_UDP_MAX_QUERIES, default 100. */
  readonly dnsUdpMaxQueries: number
  /** PILOT_ALLOW_ANY_DYNAMIC_DNS_MAX_HOSTS, default 1024: names that ALLOW_ANY_DYNAMIC_DNS keeps resolved. */
  readonly dynamicDnsMaxHosts: number
  /** MAX_CONNECTIONS_PER_SOCKET_EVENT_LOOP, default 1; 0: no limit. */
  readonly acceptedAtOnce: number
  /** COMPLIANCE_POLICY, default none: what TLS of all proxies keeps to. `pqc`: TLS 1.3 with a key exchange that withstands quantum computers. */
  readonly compliance: 'none' | 'fips-140-2' | 'fips-140-3' | 'pqc'
  /** PILOT_SKIP_VALIDATE_TRUST_DOMAIN, default false: servers take clients of every trust domain that the roots vouch for. */
  readonly skipTrustDomains: boolean
  /** PILOT_ENABLE_HEADLESS_SERVICE_POD_LISTENERS, default true: TCP to a headless service has a listener for each of its pods. */
  readonly headlessPodListeners: boolean
  /** PILOT_ENABLE_MONGO_FILTER, default true: what goes to a port of MongoDB is counted by command. */
  readonly mongoFilter: boolean
  /** PILOT_ENABLE_MYSQL_FILTER, default false: the same of MySQL. */
  readonly mysqlFilter: boolean
  /** PILOT_ENABLE_REDIS_FILTER, default false: what goes to a port of Redis is spread by key, by Envoy's own client. */
  readonly redisFilter: boolean
  /** PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES, default false: sidecars balance over the pods of a headless service, too. */
  readonly headlessEds: boolean
  /** PILOT_ENABLE_ABSOLUTE_FQDN_VHOST_DOMAIN, default true: services answer to their name with the root dot, too. */
  readonly absoluteDomains: boolean
  /** PILOT_FILTER_GATEWAY_CLUSTER_CONFIG, default false: gateways get the clusters that VirtualServices of their Gateways lead to, not all. */
  readonly gatewayClustersByRoute: boolean
  /** DISABLE_SHADOW_HOST_SUFFIX, default true. False: mirrored requests have `-shadow` at the end of their host. */
  readonly mirrorsKeepHost: boolean
  /** DISABLE_TRACK_REMAINING_CB_METRICS, default true. False: Envoy counts what circuit breakers have left. */
  readonly trackRemaining: boolean
  /** ENABLE_LOCALITY_WEIGHTED_LB_CONFIG, default false: localities have weights in every cluster whose policy speaks of localities or of nothing. */
  readonly localityWeights: boolean
  /** ENABLE_ENHANCED_DESTINATIONRULE_MERGE, default true: DestinationRules of one host merge only where they are exported alike. */
  readonly mergeByExport: boolean
  /** PILOT_SEND_UNHEALTHY_ENDPOINTS, default false: endpoints that are not ready are sent always, and PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS, default true: but to clusters with minHealthPercent. */
  readonly unreadyEndpoints: 'always' | 'without panic' | 'never'
  /** PILOT_DRAINING_LABEL, default istio.io/draining: endpoints with this label are about to end. */
  readonly drainingLabel: string
  /** PILOT_ENABLE_PERSISTENT_SESSION_FILTER, default false: services whose labels ask for it keep a client with its endpoint. */
  readonly persistentSessions: boolean
  /** PILOT_PERSISTENT_SESSION_LABEL, default istio.io/persistent-session: names the cookie. */
  readonly sessionCookieLabel: string
  /** PILOT_PERSISTENT_SESSION_HEADER_LABEL, default istio.io/persistent-session-header: names the header. */
  readonly sessionHeaderLabel: string
  /** PILOT_JWT_ENABLE_REMOTE_JWKS, default `istiod`: who fetches keys. `hybrid` (or true): the proxy from services of the mesh; `envoy`: always the proxy. */
  readonly remoteJwks: 'istiod' | 'hybrid' | 'envoy'
  /** PILOT_DEBOUNCE_AFTER in milliseconds, default 100: silence that ends a batch of changes. */
  readonly debounceAfter: number
  /** PILOT_DEBOUNCE_MAX in milliseconds, default 10,000: the longest that a change waits. */
  readonly debounceMax: number
  /** PILOT_ENABLE_EDS_DEBOUNCE, default true. False: proxies hear of changed endpoints at once. */
  readonly debounceEndpoints: boolean
  /** Any variable, for headers of tracing providers (`envName`); undefined: not set. */
  variable(name: string): string | undefined
}

const BOOLEANS: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true]),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false]),
])

const COMPLIANCE = ['fips-140-2', 'fips-140-3', 'pqc'] as const

type Env = Readonly<Record<string, string | undefined>>

/** What an environment switches on. A value that is no boolean counts as absent, as in istiod. */
export function pilotFeatures(env: Env): PilotFeatures {
  const ambient = flag(env, 'PILOT_ENABLE_AMBIENT', false)
  const clusterTelemetry = flag(env, 'PILOT_ENABLE_TELEMETRY_LABEL', true)
  return {
    ambient,
    sendHbone: ambient && flag(env, 'PILOT_ENABLE_SENDING_HBONE', true),
    preferHbone: ambient && flag(env, 'PILOT_PREFER_SENDING_HBONE', false),
    listenHbone: ambient && flag(env, 'PILOT_ENABLE_SIDECAR_LISTENING_HBONE', true),
    ambientMultiNetwork: ambient && flag(env, 'AMBIENT_ENABLE_MULTI_NETWORK', true),
    ambientDryRun: flag(env, 'AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY', false),
    multipleCustomProviders: flag(env, 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS', false),
    traceSampling: decimal(env, 'PILOT_TRACE_SAMPLING', 1),
    gatewayUpstreamSpan: flag(env, 'PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY', true),
    scopeGateways: flag(env, 'PILOT_SCOPE_GATEWAY_TO_NAMESPACE', false),
    dualStack: flag(env, 'ISTIO_DUAL_STACK', false),
    ipv4BesideIpv6: flag(env, 'ISTIO_ENABLE_IPV4_OUTBOUND_LISTENER_FOR_IPV6_CLUSTERS', false),
    metadataExchange: flag(env, 'PILOT_ENABLE_METADATA_EXCHANGE', true),
    exchangedLabels: (env['PILOT_MX_ADDITIONAL_LABELS'] || undefined)?.split(',') ?? [],
    clusterTelemetry,
    endpointTelemetry: clusterTelemetry && flag(env, 'PILOT_ENDPOINT_TELEMETRY_LABEL', true),
    withoutExchangeAlpn: flag(env, 'PILOT_DISABLE_MX_ALPN', false),
    alpnFilter: flag(env, 'PILOT_ENABLE_ALPN_FILTER', true),
    http10: flag(env, 'PILOT_HTTP10', false),
    useRemoteAddress: flag(env, 'PILOT_SIDECAR_USE_REMOTE_ADDRESS', false),
    continueHeaders: flag(env, 'ENABLE_100_CONTINUE_HEADERS', true),
    requestTimeout: time(env, 'ISTIO_DEFAULT_REQUEST_TIMEOUT', 0),
    handshakeTimeout: time(env, 'PILOT_GATEWAY_TRANSPORT_SOCKET_CONNECT_TIMEOUT', 15_000),
    dnsJitter: time(env, 'PILOT_DNS_JITTER_DURATION', 100),
    dnsUdpMaxQueries: decimal(env, 'PILOT_DNS_CARES_UDP_MAX_QUERIES', 100),
    dynamicDnsMaxHosts: decimal(env, 'PILOT_ALLOW_ANY_DYNAMIC_DNS_MAX_HOSTS', 1024),
    acceptedAtOnce: decimal(env, 'MAX_CONNECTIONS_PER_SOCKET_EVENT_LOOP', 1),
    compliance: COMPLIANCE.find((policy) => policy === env['COMPLIANCE_POLICY']) ?? 'none',
    skipTrustDomains: flag(env, 'PILOT_SKIP_VALIDATE_TRUST_DOMAIN', false),
    headlessPodListeners: flag(env, 'PILOT_ENABLE_HEADLESS_SERVICE_POD_LISTENERS', true),
    mongoFilter: flag(env, 'PILOT_ENABLE_MONGO_FILTER', true),
    mysqlFilter: flag(env, 'PILOT_ENABLE_MYSQL_FILTER', false),
    redisFilter: flag(env, 'PILOT_ENABLE_REDIS_FILTER', false),
    headlessEds: flag(env, 'PILOT_ENABLE_EDS_FOR_HEADLESS_SERVICES', false),
    absoluteDomains: flag(env, 'PILOT_ENABLE_ABSOLUTE_FQDN_VHOST_DOMAIN', true),
    gatewayClustersByRoute: flag(env, 'PILOT_FILTER_GATEWAY_CLUSTER_CONFIG', false),
    mirrorsKeepHost: flag(env, 'DISABLE_SHADOW_HOST_SUFFIX', true),
    trackRemaining: !flag(env, 'DISABLE_TRACK_REMAINING_CB_METRICS', true),
    localityWeights: flag(env, 'ENABLE_LOCALITY_WEIGHTED_LB_CONFIG', false),
    mergeByExport: flag(env, 'ENABLE_ENHANCED_DESTINATIONRULE_MERGE', true),
    unreadyEndpoints: unready(env),
    drainingLabel: env['PILOT_DRAINING_LABEL'] ?? 'istio.io/draining',
    persistentSessions: flag(env, 'PILOT_ENABLE_PERSISTENT_SESSION_FILTER', false),
    sessionCookieLabel: env['PILOT_PERSISTENT_SESSION_LABEL'] || 'istio.io/persistent-session',
    sessionHeaderLabel: env['PILOT_PERSISTENT_SESSION_HEADER_LABEL'] || 'istio.io/persistent-session-header',
    remoteJwks: keyFetcher(env['PILOT_JWT_ENABLE_REMOTE_JWKS']),
    debounceAfter: time(env, 'PILOT_DEBOUNCE_AFTER', 100),
    debounceMax: time(env, 'PILOT_DEBOUNCE_MAX', 10_000),
    debounceEndpoints: flag(env, 'PILOT_ENABLE_EDS_DEBOUNCE', true),
    variable: (name) => env[name],
  }
}

export const DEFAULT_FEATURES: PilotFeatures = pilotFeatures({})

/** The spellings of Go's strconv.ParseBool; undefined for every other text. */
export function parseBool(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : BOOLEANS[text]
}

function flag(env: Env, name: string, fallback: boolean): boolean {
  return parseBool(env[name]) ?? fallback
}

function keyFetcher(text: string | undefined): PilotFeatures['remoteJwks'] {
  if (text === 'envoy') return 'envoy'
  return text === 'hybrid' || parseBool(text) === true ? 'hybrid' : 'istiod'
}

function unready(env: Env): PilotFeatures['unreadyEndpoints'] {
  if (flag(env, 'PILOT_SEND_UNHEALTHY_ENDPOINTS', false)) return 'always'
  return flag(env, 'PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS', true) ? 'without panic' : 'never'
}

function decimal(env: Env, name: string, fallback: number): number {
  const text = env[name]?.trim() ?? ''
  const value = Number(text)
  return text === '' || !Number.isFinite(value) ? fallback : value
}

/** Milliseconds of a Go duration (`1m30s`, `250ms`). */
function time(env: Env, name: string, fallback: number): number {
  const text = env[name]?.trim() ?? ''
  const read = text === '' ? undefined : parseDuration(text)
  return read ?? fallback
}
