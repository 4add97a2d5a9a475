import type { Connection } from './connection.js'

/** Why we closed a connection, in Envoy's words (StreamInfo::LocalCloseReasons, and those of its network filters). */
export const CLOSE_REASON = {
  idle: 'on_idle_timeout',
  /** The peer had the time of delayed_close_timeout to close it, and has not. */
  delayed: 'triggered_delayed_close_timeout',
  handshakeTimeout: 'transport_socket_timeout',
  pingTimeout: 'http2_ping_timeout',
  sessionIdle: 'tcp_session_idle_timeout',
  maxDuration: 'max_connection_duration_reached',
  rbac: 'rbac_deny_close',
  extAuthz: 'ext_authz_close',
  connectionLimit: 'over_connection_limit',
  rateLimit: 'local_ratelimit_close_over_limit',
} as const

/** Envoy's TcpProxy::Filter::UpstreamFailureReason, whose number follows `tcp_initializion_failure:`. */
export const UPSTREAM_FAILURE = { connectFailed: 0, noHealthyUpstream: 1, resourceLimitExceeded: 2, noRoute: 3 } as const

export function initializationFailure(failure: number): string {
  // The typo is Envoy's.
  return `tcp_initializion_failure:${failure}`
}

/** Closes it, and logs will tell why. */
export function closeFor(connection: Connection, reason: string, error?: Error): void {
  connection.localCloseReason = reason
  connection.destroy(error)
}
