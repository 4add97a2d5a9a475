import type { MetricsRegistry, Result } from '@heddle/runtime'
import type { CommandLineOptions } from '@heddle/xds-types/envoy/admin/v3'
import type { Bootstrap } from '@heddle/xds-types/envoy/config/bootstrap/v3'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import type { CompiledCluster, Secret } from '../config/compiled.js'
import type { Runtime } from '../runtime.js'
import type { DrainOptions, ListenerView } from '../state/listener-manager.js'
import type { ResourceRecord } from '../state/warmed-set.js'
import type { Endpoint } from '../upstream/endpoint.js'
import type { ActiveHealth } from '../upstream/health-check/health-check.js'

/** Envoy's server states (envoy.admin.v3.ServerInfo.State). */
export type ServerState = 'LIVE' | 'DRAINING' | 'PRE_INITIALIZING' | 'INITIALIZING'

/** Counters of one endpoint, by Envoy's names: `cx_active`, `rq_total` … */
export type HostStats = Readonly<Record<string, number>>

export interface HostView {
  readonly endpoint: Endpoint
  readonly ejected: boolean
  /** Of active health checks; undefined: there are none. */
  readonly active: ActiveHealth | undefined
  readonly stats: HostStats
}

export interface ClusterView {
  readonly cluster: CompiledCluster
  readonly hosts: readonly HostView[]
}

/** What the pages may see of the proxy. */
export interface AdminViews {
  readonly state: ServerState
  readonly version: string
  /** What the server was started with, as envoy.admin.v3.CommandLineOptions. */
  readonly commandLineOptions: CommandLineOptions
  readonly node: Node
  readonly bootstrap: Bootstrap
  /** Wall clock. */
  readonly startedAt: number
  /** Wall clock, for what is a moment or an age. */
  now(): number
  readonly stats: MetricsRegistry
  readonly runtime: Runtime
  readonly listeners: readonly ListenerView[]
  readonly clusters: readonly ClusterView[]
  /** By type URL. */
  records(): ReadonlyMap<string, readonly ResourceRecord[]>
  /** Certificates and trust anchors in use. */
  readonly secrets: readonly Secret[]
  /** Whether lookups of statistics are being counted. */
  readonly lookups: { tracked: boolean }
}

/** What the pages may do. */
export interface AdminActions {
  drainListeners(options: DrainOptions): void
  quit(): void
  setHealthy(healthy: boolean): void
  /** Absent: the logger has no level. */
  logLevel?(): string
  /** Absent: the logger has no level to set. */
  setLogLevel?(level: string): Result<undefined>
}

export interface Answer {
  readonly status: number
  readonly contentType: 'text/plain; charset=UTF-8' | 'text/plain' | 'text/html; charset=UTF-8' | 'application/json'
  readonly body: string
}

/** One path of the admin interface. */
export interface Page {
  readonly path: string
  readonly help: string
  /** What its parameters do, for `/help`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Changes something: POST only. */
  readonly mutates?: true
  answer(query: URLSearchParams, views: AdminViews, actions: AdminActions): Answer
}

export const text = (body: string, status = 200): Answer => ({ status, contentType: 'text/plain; charset=UTF-8', body })

/** Indented by one space, as Envoy prints JSON. */
export const json = (value: unknown, status = 200): Answer => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(value, null, 1)}\n`,
})

export const wantsJson = (query: URLSearchParams): boolean => query.get('format') === 'json'
