import type { Endpoint } from './endpoint.js'
import type { Pool } from './pool.js'

/** An endpoint at work: its pools and what `/clusters` tells of it. Lives on while its address stays in the cluster. */
export interface Host {
  endpoint: Endpoint
  /** By protocol and ALPN. */
  readonly pools: Map<string, Pool>
  /** Of active checks. */
  failed: boolean
  /** Clock.monotonic at which it came, or became healthy again; for slow start. */
  healthySince: number
  activeRequests: number
  /** They wait for a connection. */
  pendingRequests: number
  activeConnections: number
  totalConnections: number
  connectFailures: number
  totalRequests: number
  successes: number
  errors: number
  timeouts: number
}

export function createHost(endpoint: Endpoint, now: number): Host {
  return {
    endpoint,
    pools: new Map(),
    failed: false,
    healthySince: now,
    activeRequests: 0,
    pendingRequests: 0,
    activeConnections: 0,
    totalConnections: 0,
    connectFailures: 0,
    totalRequests: 0,
    successes: 0,
    errors: 0,
    timeouts: 0,
  }
}
