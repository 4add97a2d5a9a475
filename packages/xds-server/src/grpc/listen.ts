import { type ChannelOptions, Server, ServerCredentials } from '@grpc/grpc-js'
import { type Clock, systemClock } from '@heddle/runtime'
import type { XdsServer } from '../xds-server.js'
import { type AddXdsServiceOptions, addXdsService } from './add-xds-service.js'

/**
 * What an xDS server needs of grpc-js beyond its defaults.
 * - pings: clients ping idle streams (Envoy and istio-agent every 30 s, grpc-js-xds every 5 min); a server that allows fewer answers
 *   `too_many_pings`. Our own ping finds half-open connections within 40 s.
 * - age: a connection ends after half an hour, give or take a tenth, so that clients spread over replicas that came later; istiod's figures.
 * - channelz stays on: without its books grpc-js 1.14 does not know its connections, and `forceShutdown` ends none of them.
 * - message size: gRPC clients resend all names, and 10,000 names must fit; 4 MiB is gRPC's own default, so it is written out.
 */
export const SERVER_CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.max_connection_age_ms': 30 * 60_000,
  'grpc.max_connection_age_grace_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.http2.min_ping_interval_without_data_ms': 10_000,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.max_send_message_length': -1,
}

export interface ListenOptions extends AddXdsServiceOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string
  /** Default: plaintext. */
  readonly credentials?: ServerCredentials
  /** How long `close` waits for connections to end before it cuts them; milliseconds, default 5,000. */
  readonly drainMs?: number
  readonly clock?: Clock
  /** Over {@link SERVER_CHANNEL_OPTIONS}. */
  readonly channelOptions?: ChannelOptions
}

/** A gRPC server that serves xDS. */
export interface GrpcXdsServer extends AsyncDisposable {
  /** The port that was bound. */
  readonly port: number
  /** For further services. */
  readonly grpcServer: Server
  /** Ends all streams with UNAVAILABLE, waits for the connections to end, then frees the port. */
  close(): Promise<void>
}

/** Serves `server` at an address. Rejects when the address cannot be bound. */
export async function listenGrpc(server: XdsServer, options: ListenOptions): Promise<GrpcXdsServer> {
  const {
    address,
    credentials = ServerCredentials.createInsecure(),
    channelOptions,
    drainMs = 5_000,
    clock = systemClock,
    ...service
  } = options
  const grpcServer = new Server({ ...SERVER_CHANNEL_OPTIONS, ...channelOptions })
  addXdsService(grpcServer, server, service)
  const port = await new Promise<number>((resolve, reject) => {
    grpcServer.bindAsync(address, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)))
  })
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close()
      const cut = clock.after(drainMs, () => {
        grpcServer.forceShutdown()
        resolve()
      })
      grpcServer.tryShutdown(() => {
        cut()
        resolve()
      })
    })
  return { port, grpcServer, close, [Symbol.asyncDispose]: close }
}
