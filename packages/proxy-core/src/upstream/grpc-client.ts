import type { HeaderMap } from '../http/header-map.js'

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
  /** Once, last. */
  onStatus(status: GrpcStatus): void
}

export interface GrpcStream {
  /** False: enough is under way; what is sent before `events.onDrain` waits in memory. */
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
  readonly done: Promise<GrpcStatus & { readonly message: string; readonly response?: Uint8Array }>
  cancel(): void
}
