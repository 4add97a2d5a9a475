import type { HeaderMap } from '../../http/header-map.js'
import type { AccessLogEntry, AccessLogSink } from '../../observe/access-log.js'

/** envoy.config.core.v3.HealthCheck, compiled. Times are milliseconds; a cluster has one at most, as in Envoy. */
export interface HealthCheck {
  readonly timeoutMs: number
  readonly intervalMs: number
  /** While nobody has ever used the cluster. */
  readonly noTrafficIntervalMs: number
  readonly noTrafficHealthyIntervalMs: number
  readonly unhealthyIntervalMs: number
  /** After a failure, or a success, that has not yet changed anything. */
  readonly unhealthyEdgeIntervalMs: number
  readonly healthyEdgeIntervalMs: number
  readonly initialJitterMs: number
  readonly intervalJitterMs: number
  readonly intervalJitterPercent: number
  readonly unhealthyThreshold: number
  readonly healthyThreshold: number
  readonly reuseConnection: boolean
  /** tls_options.alpn_protocols; empty: what the checker's protocol says. */
  readonly alpn: readonly string[]
  /** transport_socket_match_criteria: in place of the endpoint's own labels. */
  readonly socketMatch?: Readonly<Record<string, unknown>>
  readonly alwaysLogFailures: boolean
  readonly alwaysLogSuccess: boolean
  readonly eventLogs: readonly AccessLogSink[]
  readonly checker: HttpHealthCheck | GrpcHealthCheck | TcpHealthCheck
}

export interface HttpHealthCheck {
  readonly kind: 'HTTP'
  /** Empty: the endpoint's own, or the cluster's name. */
  readonly host: string
  readonly path: string
  readonly method: string
  readonly http2: boolean
  readonly body: Uint8Array | undefined
  /** What the body must hold, in this order; empty: anything. */
  readonly receive: readonly Uint8Array[]
  /** How much of the body is looked at; 0: all. */
  readonly responseBufferBytes: number
  addHeaders(headers: HeaderMap, entry: AccessLogEntry): void
  isExpected(status: number): boolean
  /** Counts towards the threshold, where any other wrong status fails the host at once. */
  isRetriable(status: number): boolean
  /** service_name_matcher: of x-envoy-upstream-healthchecked-cluster. */
  matchesService?(name: string): boolean
}

export interface GrpcHealthCheck {
  readonly kind: 'GRPC'
  readonly service: string
  /** Empty: the endpoint's own, or the cluster's name. */
  readonly authority: string
  addHeaders(headers: HeaderMap, entry: AccessLogEntry): void
}

export interface TcpHealthCheck {
  readonly kind: 'TCP'
  readonly send: Uint8Array | undefined
  /** Empty: a connection that stands is enough. */
  readonly receive: readonly Uint8Array[]
}

/** What active checks have found out about an endpoint. */
export interface ActiveHealth {
  /** FAILED_ACTIVE_HC. True until the first check has passed. */
  readonly failed: boolean
  /** PENDING_ACTIVE_HC: no check has ended yet. */
  readonly pending: boolean
  /** ACTIVE_HC_TIMEOUT: failed, and the last check got no answer. */
  readonly timedOut: boolean
  /** DEGRADED_ACTIVE_HC: it said x-envoy-degraded. */
  readonly degraded: boolean
  /** EXCLUDED_VIA_IMMEDIATE_HC_FAIL: it said x-envoy-immediate-health-check-fail, and does not count in the sizes of priorities. */
  readonly excluded: boolean
}

/** Envoy's HealthCheckFailureType. */
export type FailureType = 'ACTIVE' | 'PASSIVE' | 'NETWORK' | 'NETWORK_TIMEOUT'

/** How one check ended. */
export type ProbeResult =
  | { readonly ok: true; readonly degraded: boolean }
  | { readonly ok: false; readonly type: FailureType; readonly retriable: boolean; readonly excluded: boolean }

export const PASSED: ProbeResult = { ok: true, degraded: false }

export function failed(type: FailureType, retriable = false, excluded = false): ProbeResult {
  return { ok: false, type, retriable, excluded }
}
