import type { Connection } from '../net/connection.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import type { AttemptSpan } from '../observe/tracing/attempt-span.js'
import type { MirrorCall, MirrorSpan } from '../observe/tracing/mirror-span.js'
import type { RouteDecision } from '../route/decision.js'
import type { RedirectHistory } from '../route/internal-redirect.js'
import type { RouteTable } from '../route/table.js'
import type { WireBytes } from './codec.js'
import type { HeaderMap } from './header-map.js'
import type { Body, HttpRequest, HttpResponse, LocalReply } from './message.js'

/** A request that has passed its filters, with what its route says. */
export interface ForwardContext {
  readonly request: HttpRequest
  readonly decision: Extract<RouteDecision, { kind: 'forward' }>
  readonly table: RouteTable
  /** The stream's story; what happens upstream is written into its info. */
  readonly entry: AccessLogEntry
  readonly connection: Connection
  /** The client as far as it is trusted. */
  readonly clientAddress: string
  /** x-envoy-internal: its x-envoy-* headers steer retries and timeouts. */
  readonly internal: boolean
  /** The redirects that led here. */
  readonly redirects: RedirectHistory
  /** Leave out our own x-envoy-* headers. */
  readonly suppressEnvoyHeaders: boolean
}

/** Hears exactly one of the two, once. */
export interface ForwardSink {
  /** First of all: the cluster is there and the timeouts are taken, so that the route may now change the request. */
  onRouted?(): void
  /** An attempt at the endpoint that was chosen begins; undefined: nobody wants to hear how it goes. */
  onAttempt?(): AttemptSpan | undefined
  /** A copy with these headers goes to another cluster; undefined: nobody traces it. */
  onMirror?(headers: HeaderMap, call: MirrorCall): MirrorSpan | undefined
  /** Before them, any number of times: 1xx, not 101. */
  onInterim?(status: number, headers: HeaderMap): void
  /** `details`: Envoy's RESPONSE_CODE_DETAILS; default `via_upstream`. */
  onResponse(response: HttpResponse, details?: string): void
  /** No upstream gave an answer. */
  onReply(reply: LocalReply): void
  /** An upstream's redirect that the proxy shall follow itself, with the request's body anew. False: it may not, and nothing has changed. */
  onRedirect(response: HttpResponse, body: () => Body): boolean
  /** The time for the answer is over in the middle of it. */
  onTimeout(): void
}

export interface Forwarding {
  /** Of the last attempt; absent: none was sent, or its codec does not count. */
  readonly wire?: WireBytes | undefined
  /** The client is gone, or has got another answer. Nothing is heard any more. */
  cancel(): void
}

/** The end of the filter chain: sends a request upstream. `router/` implements it. */
export interface Forwarder {
  forward(context: ForwardContext, sink: ForwardSink): Forwarding
}
