import { ok, type Random } from '@heddle/runtime'
import type { AccessLog } from '@heddle/xds-types/envoy/config/accesslog/v3'
import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { RouteConfiguration, ScopedRouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { Secret } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { checked } from '../config/checked.js'
import { compileCluster } from '../config/cluster.js'
import type { CompileDeps, SecretSource } from '../config/compiled.js'
import type { DataSourceReads } from '../config/data-source.js'
import { compileExtension, type FilterConfigSource } from '../config/discovered-filter.js'
import { compileListener } from '../config/listener.js'
import { compileLoadAssignment } from '../config/load-assignment.js'
import { compileRouteConfiguration } from '../config/route-configuration.js'
import { compileScope } from '../config/scoped-routes.js'
import type { HttpFilterFactory } from '../http/filter.js'
import type { AccessLogSinks } from '../observe/access-log.js'
import { compileLogFilter } from '../observe/access-log-filter.js'
import type { CollectorLogs } from '../observe/collectors/collector-logs.js'
import { compileAccessLog } from '../observe/compile-access-log.js'
import type { Runtime } from '../runtime.js'
import { decodeSecret } from '../secrets.js'
import { keepIdentity } from '../upstream/endpoint-set.js'
import type { Hash64 } from '../upstream/hash.js'
import type { StoreCompilers } from './config-store.js'

export interface CompilerOptions extends DataSourceReads {
  filters: readonly HttpFilterFactory<unknown>[]
  extensions: FilterConfigSource
  /** Whether virtual hosts can be asked for. */
  vhds: boolean
  sinks: AccessLogSinks
  /** Access logs that call services. */
  collectors?: CollectorLogs
  random: Random
  hash64: Hash64
  runtime?: Runtime
  readBytes?: ((path: string) => Uint8Array | undefined) | undefined
}

/** The compilers of config/ with what they need of the proxy. */
export function createCompilers({
  filters,
  extensions,
  vhds,
  sinks,
  collectors,
  random,
  hash64,
  runtime,
  readFile,
  environment,
  readBytes,
}: CompilerOptions): StoreCompilers {
  const deps = (secrets: SecretSource, hasCluster?: CompileDeps['hasCluster']): CompileDeps => ({
    secrets,
    ...(hasCluster !== undefined && { hasCluster }),
    httpFilters: filters,
    extensions,
    vhds,
    accessLog: (config, path) => compileAccessLog(config as AccessLog, path, { sinks, collectors, random, runtime }),
    logFilter: (filter, path) => compileLogFilter(filter, path, { random, runtime }),
    hash64,
    sink: sinks,
    ...(runtime !== undefined && { runtime }),
    ...{ readFile, environment },
    ...(readBytes !== undefined && { readBytes }),
  })
  return {
    cluster: checked(Cluster, (message, secrets) => compileCluster(message, deps(secrets), '')),
    listener: checked(Listener, (message, secrets, hasCluster) => compileListener(message, deps(secrets, hasCluster), '')),
    route: checked(RouteConfiguration, (message, secrets, hasCluster) =>
      compileRouteConfiguration(message, deps(secrets, hasCluster), ''),
    ),
    scope: checked(ScopedRouteConfiguration, (message, secrets, hasCluster) =>
      compileScope(message, deps(secrets, hasCluster), ''),
    ),
    extension: checked(TypedExtensionConfig, (message, secrets) => compileExtension(message, deps(secrets), '')),
    endpoints: checked(ClusterLoadAssignment, (message, previous) => {
      const compiled = compileLoadAssignment(message, '')
      return compiled.ok ? ok(keepIdentity(previous, compiled.value), compiled.diagnostics) : compiled
    }),
    secret: checked(Secret, (message) => decodeSecret(message, '', { readFile, environment })),
  }
}
