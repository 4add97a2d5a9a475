import type { Clock, Logger, MetricsRegistry, Random } from '@heddle/runtime'
import type { CommandLineOptions } from '@heddle/xds-types/envoy/admin/v3'
import type { SecretSource } from './config/compiled.js'
import type { ReadFile } from './config/data-source.js'
import type { HttpFilterFactory } from './http/filter.js'
import type { Lookup } from './net/dns.js'
import type { Network } from './net/network.js'
import type { Tls } from './net/tls.js'
import type { AccessLogSinks } from './observe/access-log.js'
import type { StatsSink } from './observe/stats-sink.js'
import type { SnapshotStore } from './snapshot/snapshot-file.js'
import type { XdsTransport } from './xds/transport.js'

export interface ProxyOptions {
  /** An Envoy v3 bootstrap as an object (parsed YAML or JSON). */
  bootstrap: unknown
  /** The machine's sockets by default. */
  network?: Network
  tls?: Tls
  /** Who reads and writes HTTP: our own codecs by default, or node:http and node:http2, which are several times dearer. */
  codecs?: 'own' | 'node'
  /** Addresses of host names; the system's resolver by default. */
  lookup?: Lookup
  clock?: Clock
  random?: Random
  logger?: Logger
  stats?: MetricsRegistry
  /** Asked before the bootstrap's own secrets and SDS: an agent's identity (`createIdentitySecrets`). */
  secrets?: SecretSource
  /** The way to the management server; by default gRPC as ads_config says. */
  transport?: XdsTransport
  /** HTTP filters by type; `defaultHttpFilters` by default. */
  filters?: readonly HttpFilterFactory<unknown>[]
  /** Files, stdout and stderr by default. */
  accessLogSinks?: AccessLogSinks
  /** Backends for statistics, beside the bootstrap's stats_sinks. */
  statsSinks?: readonly StatsSink[]
  /** For data sources that name files; without it they are refused. */
  readFile?: ReadFile
  /** For data sources that name variables; without it they are refused. */
  environment?: Readonly<Record<string, string | undefined>>
  /** `readFile` for files that are no text: descriptor sets of grpc_json_transcoder. */
  readBytes?: (path: string) => Uint8Array | undefined
  /** Where the last good configuration of the management server is kept, for starts without it (`createSnapshotFile`). By default nowhere. */
  snapshot?: SnapshotStore
  /** How long connections of a listener that is gone, or was replaced, may go on; and the longest `drain`. 600,000 by default, as Envoy. */
  drainTimeMs?: number
  /** The bootstrap's admin address is served by somebody else, who asks by `answerAdmin`: one of several processes. */
  adminElsewhere?: boolean
  /** Shown by `/server_info`. */
  version?: string
  /** Shown by `/server_info`: the flags that the server was started with. None by default. */
  commandLineOptions?: CommandLineOptions
}

/** The bootstrap, or a static resource in it, is wrong, or an address is taken; `reasons` has a line for each. */
export class ProxyStartError extends Error {
  readonly reasons: readonly string[]

  constructor(reasons: readonly string[]) {
    super(`the proxy cannot start:\n${reasons.join('\n')}`)
    this.name = 'ProxyStartError'
    this.reasons = reasons
  }
}
