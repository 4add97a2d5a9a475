import { ok, type Result } from '@heddle/runtime'
import type { ProxyBootstrap } from '../bootstrap.js'
import type { ReadFile } from '../secrets.js'
import { createGrpcTransport } from './grpc-transport.js'
import { serverOf } from './server-config.js'
import type { XdsTransport } from './transport.js'

/** The way to the bootstrap's management server; undefined when it names none. */
export function transportOf(bootstrap: ProxyBootstrap, readFile: ReadFile | undefined): Result<XdsTransport | undefined> {
  if (bootstrap.dynamic === undefined) return ok(undefined)
  const server = serverOf(bootstrap.dynamic.source, bootstrap.clusters, readFile)
  return server.ok ? ok(createGrpcTransport(server.value), server.diagnostics) : server
}
