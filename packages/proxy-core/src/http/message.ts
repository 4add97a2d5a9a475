import type { DynamicMetadata } from '../matcher/value.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { HeaderMap } from './header-map.js'

/** Takes a body as it comes. */
export interface BodySink {
  /** `chunk` is valid only during the call: copy what must live longer. False: pause, and wait until the sink calls `body.resume()`. */
  data(chunk: Uint8Array): boolean
  end(trailers?: HeaderMap): void
  /** The sender is gone before the end. Nothing follows. */
  abort(error: Error): void
}

/** A message body in flight, with one consumer and back-pressure. Until it is consumed, its source is paused. */
export interface Body {
  /** Known length in bytes; undefined for chunked bodies. 0: `end` is all that will come. Framing follows it, never a header. */
  readonly length: number | undefined
  /** Once. May call the sink before it returns. */
  consume(sink: BodySink): void
  pause(): void
  resume(): void
  /** Nobody wants the rest: it is dropped, and a sink hears nothing more. */
  discard(): void
}

/** A request in the proxy's own words, the same for every protocol version. Filters may change all of it but `body`'s source. */
export interface HttpRequest {
  method: string
  /** `http` or `https`, lower case. */
  scheme: string
  /** Host or :authority as it was sent. `host` is never in `headers`. */
  authority: string
  /** No Host came, unlike an empty one, which RFC 9110 §7.2 allows. */
  missingHost?: true
  /** Path with its query. */
  path: string
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2'
  /**
   * Without `host`, `connection`, `transfer-encoding` and what `connection` names; `content-length` is there for reading only.
   * Of an upgrade `connection` and `upgrade` are there, as they were said.
   */
  headers: HeaderMap
  body: Body
  /**
   * The protocol to upgrade to, lower case: `websocket`; `connect` for a tunnel by the method CONNECT. Once the answer is 101
   * (of a tunnel 2xx), both bodies are the bytes of that protocol. The same over HTTP/1.1 and over HTTP/2's extended CONNECT,
   * which reads as a GET here.
   */
  upgrade?: string
  /** Whether the client presented a certificate, and somebody vouches for it. */
  clientCertificate?: 'validated' | 'untrusted'
  /** Dynamic metadata that filters have set so far, for routes that ask for it. */
  metadata?: DynamicMetadata | undefined
}

export interface HttpResponse {
  /** 101: the upgrade that the request asked for, whatever the version. */
  status: number
  headers: HeaderMap
  body: Body
}

/** An answer that the proxy gives itself. `details` is Envoy's RESPONSE_CODE_DETAILS, `flag` its RESPONSE_FLAGS. */
export interface LocalReply {
  readonly status: number
  readonly body: string
  /** The body where it is no text; `body` is what formatters see of it. */
  readonly bytes?: Uint8Array
  readonly details: string
  readonly flag?: string
  /** What gRPC callers are told; default: what the status means in gRPC. */
  readonly grpcStatus?: number
  readonly headers?: readonly (readonly [string, string])[]
  /** An answer of the filter's own, as if it were an upstream: the route's response headers are not for it. */
  readonly own?: boolean
  /** Over HTTP/1 the connection closes after it: the rest of the request is not wanted. */
  readonly closes?: boolean
  /** Makes the body once the story of the request is known: body_format. It takes the place of `body`. */
  readonly format?: (entry: AccessLogEntry) => string
}
