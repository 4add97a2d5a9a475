import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { Build } from '../build.js'
import type { InboundPort } from '../listeners/inbound-port.js'
import { defined, NO_TIMEOUT } from '../message.js'
import { isGrpc } from '../protocol.js'
import { EVERY_PATH } from './match.js'
import { retryPolicy } from './retry.js'

/** Everything to the application. A request that was reset before it was sent is tried again: the connection was stale. Streams of gRPC bear no retry. */
export function inboundRoutes(build: Build, port: InboundPort): RouteConfiguration {
  const given = build.mesh.defaultInboundHttpRetryPolicy
  const retries =
    given !== undefined
      ? retryPolicy(given, true)
      : isGrpc(port.protocol)
        ? undefined
        : { retry_on: 'reset-before-request', num_retries: 2 }
  const route = {
    name: 'default',
    match: EVERY_PATH,
    decorator: { operation: `${port.hostname}:${port.port}/*` },
    route: defined({
      cluster: port.cluster,
      timeout: NO_TIMEOUT,
      max_stream_duration: { max_stream_duration: NO_TIMEOUT, grpc_timeout_header_max: NO_TIMEOUT },
      retry_policy: retries,
    }),
  }
  return {
    name: port.cluster,
    virtual_hosts: [{ name: `inbound|http|${port.port}`, domains: ['*'], routes: [route] }],
    validate_clusters: false,
  }
}
