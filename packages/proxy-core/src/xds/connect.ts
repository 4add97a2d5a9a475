import { ok, type Result } from '@heddle/runtime'
import type { ProxyBootstrap } from '../bootstrap.js'
import type { DataSourceReads } from '../config/data-source.js'
import { createGrpcTransport } from './grpc-transport.js'
import { serversOf } from './server-config.js'
import type { XdsTransport } from './transport.js'

/** The ways to the bootstrap's management servers, in order of preference; none when it names none. */
export function transportsOf(bootstrap: ProxyBootstrap, reads: DataSourceReads): Result<readonly XdsTransport[]> {
  if (bootstrap.dynamic === undefined) return ok([])
  const servers = serversOf(bootstrap.dynamic.source, bootstrap.clusters, reads)
  return servers.ok ? ok(servers.value.map(createGrpcTransport), servers.diagnostics) : servers
}
