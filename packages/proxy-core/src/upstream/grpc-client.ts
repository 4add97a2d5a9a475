import type { HeaderMap } from '../http/header-map.js'
import type { Timers } from '../net/timers.js'
import type { ClusterManager } from './cluster-manager.js'
import { GrpcCall } from './grpc-call.js'
import { GRPC_STATUS } from './grpc-status.js'

export interface GrpcClientOptions {
  readonly clusters: ClusterManager
  /** Asked for anew with every call. */
  readonly cluster: string
  readonly timers: Timers
  /** What x-forwarded-for says of calls that the proxy makes, as Envoy's local address does; absent: nothing is said. */
  readonly localAddress?: string
  /** The largest message that is taken; default 4 MiB, as in gRPC's own clients. */
  readonly maxMessageBytes?: number
}

/** What a gRPC call came to: its grpc-status, or what a failure of HTTP or of the connection means in gRPC. */
export interface GrpcStatus {
  readonly code: number
  /** grpc-message, decoded. */
  readonly message: string
  readonly trailers: HeaderMap
}

export interface GrpcCallOptions {
  /** `/package.Service/Method`. */
  readonly path: string
  /** `:authority`; default: the cluster's name, as Envoy says. */
  readonly authority?: string
  readonly metadata?: Iterable<readonly [name: string, value: string]>
  /** For the whole call, told to the server as grpc-timeout; 0 or absent: none. Over it the status is 4. */
  readonly timeoutMs?: number
}

/** What the caller of a stream hears; nothing follows `onStatus`. */
export interface GrpcStreamEvents {
  onHeaders?(headers: HeaderMap): void
  /** One whole message; its bytes belong to the caller. */
  onMessage(message: Uint8Array): void
  /** What waited has gone out. */
  onDrain?(): void
  /** Once, last. */
  onStatus(status: GrpcStatus): void
}

export interface GrpcStream {
  /** Bytes that wait to be sent. */
  readonly buffered: number
  /** False: enough is under way; what is sent before `onDrain` waits in memory. */
  send(message: Uint8Array): boolean
  /** No more messages are sent. */
  end(): void
  /** Nobody wants the answer; no event follows. */
  cancel(): void
}

/** gRPC over the proxy's own clusters: endpoints, TLS, pools, circuit breakers and outlier detection are the cluster's. */
export interface GrpcClient {
  /** One message each way. Never rejects: a failure is a status other than 0. */
  call(options: GrpcCallOptions, message: Uint8Array): GrpcUnaryCall
  stream(options: GrpcCallOptions, events: GrpcStreamEvents): GrpcStream
}

export interface GrpcUnaryCall {
  readonly done: Promise<GrpcAnswer>
  /** `done` stays open. */
  cancel(): void
}

/** With status 0 there is a response. */
export interface GrpcAnswer extends GrpcStatus {
  readonly response?: Uint8Array
}

export function createGrpcClient(options: GrpcClientOptions): GrpcClient {
  const stream = (call: GrpcCallOptions, events: GrpcStreamEvents): GrpcStream => {
    const started = new GrpcCall(options, call, events)
    started.start()
    return started
  }
  return {
    stream,
    call(call, message) {
      let sent: GrpcStream | undefined
      const done = new Promise<GrpcAnswer>((resolve) => {
        let response: Uint8Array | undefined
        sent = stream(call, {
          onMessage(bytes) {
            response ??= bytes
          },
          onStatus(status) {
            if (status.code !== GRPC_STATUS.ok || response !== undefined)
              resolve(response === undefined ? status : { ...status, response })
            else resolve({ ...status, code: GRPC_STATUS.internal, message: 'the server answered without a message' })
          },
        })
        sent.send(message)
        sent.end()
      })
      return { done, cancel: () => sent?.cancel() }
    },
  }
}
