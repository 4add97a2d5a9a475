import type { Counter, Gauge } from '@heddle/runtime'
import type { Connection } from '../net/connection.js'
import type { Timers } from '../net/timers.js'
import type { Http1CodecOptions } from './h1/options.js'
import type { Http2Options } from './h2/options.js'
import type { HeaderMap } from './header-map.js'
import type { HttpRequest, HttpResponse, LocalReply } from './message.js'

/** How one protocol version speaks on a connection. Retries, timeouts and headers' meaning belong to its users. */
export interface HttpCodec {
  serve(connection: Connection, options: ServerOptions, handler: ServerHandler): ServerSession
  connect(connection: Connection, options: ClientOptions, handler: ClientSessionHandler): ClientSession
}

export interface ServerOptions {
  /** Scheme of requests in origin form: `https` on TLS. */
  readonly scheme: 'http' | 'https'
  readonly maxHeadersKb: number
  readonly maxHeadersCount: number
  readonly acceptHttp10: boolean
  /** Trailers of HTTP/1 are passed on; else they are read and dropped. HTTP/2 always passes them. */
  readonly enableTrailers: boolean
  readonly http1?: Http1CodecOptions
  /** `Expect: 100-continue` is for the upstream to answer; by default the codec does as soon as the body is wanted. */
  readonly proxy100Continue?: boolean
  readonly http2: Http2Options
  readonly timers: Timers
  /** Runs what can wait until everything that has come in this turn of the loop has been heard: writes of many requests go out together. Default: the end of the task. */
  readonly defer?: (run: () => void) => void
  readonly stats: CodecStats
  /**
   * Milliseconds; 0: off. `idle`: without a request. `headers`: from a head's first byte to its last. `delayedClose`: how long
   * a closed connection waits for its peer to read the rest. `drain`: between the notice that an HTTP/2 connection will close
   * and the last request that it takes.
   */
  readonly timeouts: { readonly idle: number; readonly headers: number; readonly delayedClose: number; readonly drain: number }
  /** What is added to `drain`, anew for each connection. Absent: nothing. */
  readonly drainJitterMs?: () => number
}

/** `http2.*` of the whole server, or of a cluster. */
export interface CodecStats {
  readonly droppedHeadersWithUnderscores: Counter
  readonly headerOverflow: Counter
  readonly headersCbNoStream: Counter
  readonly inboundEmptyFramesFlood: Counter
  readonly inboundPriorityFramesFlood: Counter
  readonly inboundWindowUpdateFramesFlood: Counter
  readonly keepaliveTimeout: Counter
  readonly outboundControlFlood: Counter
  readonly outboundFlood: Counter
  readonly requestsRejectedWithUnderscores: Counter
  readonly rxMessagingError: Counter
  readonly rxReset: Counter
  readonly tooManyHeaderFrames: Counter
  readonly trailers: Counter
  readonly txReset: Counter
  readonly goawaySent: Counter
  readonly streamsActive: Gauge
  readonly pendingSendBytes: Gauge
}

export interface ServerHandler {
  /** A request's head has come. Answer now or later by `exchange.respond`. */
  onRequest(exchange: ServerExchange): void
  /** The codec refuses a head: answer with `reply`, after which the connection closes. What is known of the request is in the exchange. */
  onRefused(exchange: ServerExchange, reply: LocalReply): void
  /** The codec has cut a request off whose head it could not take (HTTP/2); nobody can be answered. */
  onInvalid(exchange: ServerExchange, problem: ExchangeProblem): void
  /** Once, last: the connection is gone, and every exchange has heard of it before. */
  onClose(error?: Error): void
}

/** Bytes of one exchange on its connection so far, framing included. */
export interface WireBytes {
  readonly received: number
  readonly sent: number
  /** Of them field lines, without start lines; of HTTP/2 whole frames of header blocks. */
  readonly headersReceived: number
  readonly headersSent: number
  /** Names and values of field lines before their compression, pseudo fields included; of HTTP/1 as above. */
  readonly fieldsReceived: number
  readonly fieldsSent: number
}

/** Why an exchange was cut off, in Envoy's words: RESPONSE_CODE_DETAILS and a response flag. */
export interface ExchangeProblem {
  readonly details: string
  readonly flag: string
}

/** What the owner of an exchange hears. */
export interface ExchangeEvents {
  /** The last byte of the response has been given to the connection, and the request has been read or refused. */
  onDone(): void
  /** The request's body cannot be read on: answer with `reply` if no answer has begun, after which the connection closes; else reset. */
  onBroken(reply: LocalReply): void
  /** The client or the connection is gone before that. Nothing follows. `problem`: what is known of it. */
  onReset(error?: Error, problem?: ExchangeProblem): void
}

/** A request that came in, and the way to answer it. */
export interface ServerExchange {
  readonly request: HttpRequest
  /** The request asked to upgrade to this protocol; lower case. `connect` for the method CONNECT. The body is then whatever comes. */
  readonly upgrade: string | undefined
  /** Body bytes so far, without framing. */
  readonly bytesReceived: number
  readonly bytesSent: number
  /** The request has been read to its last byte. */
  readonly requestComplete: boolean
  /** Absent: this codec does not count them. */
  readonly wire?: WireBytes
  events: ExchangeEvents
  /** An interim answer (1xx, not 101) before {@link respond}; HTTP/1.0 is told none. */
  inform(status: number, headers: HeaderMap): void
  /** Once. The codec consumes the body. `close`: the connection closes after it, or takes no more requests (HTTP/2). */
  respond(response: HttpResponse, close: boolean): void
  /** Ends the exchange without an (or in the middle of the) answer, so that the client notices. */
  reset(): void
}

export interface ServerSession {
  /** Requests under way. */
  readonly active: number
  /** Requests that have come so far. */
  readonly total: number
  /** Every response from now on says `connection: close`. An idle connection closes now, or (as in Envoy, so that no request meets a closed door) after its next request. */
  drain(closeIdle: boolean): void
  /** No further request is read, not even one that has begun to come: closes now, or after the response under way. */
  retire(): void
  destroy(error?: Error): void
}

export interface ClientOptions {
  readonly maxHeadersKb: number
  readonly maxHeadersCount: number
  /** Trailers of HTTP/1 are passed on. */
  readonly enableTrailers: boolean
  readonly http1?: Http1CodecOptions
  readonly http2: Http2Options
  readonly timers: Timers
  /** See {@link ServerOptions.defer}. */
  readonly defer?: (run: () => void) => void
  readonly stats: CodecStats
}

export interface ClientSessionHandler {
  /** Capacity changed: a request is over, or the peer allows more; the session may take another. */
  onAvailable(session: ClientSession): void
  /** It takes no more requests (GOAWAY); those under way go on. */
  onDraining(session: ClientSession): void
  onClose(session: ClientSession, error?: Error): void
}

/** Why an upstream request ended before its response was complete. */
export type ResetReason = 'connection_termination' | 'protocol_error' | 'remote_reset' | 'remote_refused'

/** What the sender of a request hears: a response and its end, or a reset, each at most once. Nothing after `cancel`. */
export interface ClientExchangeEvents {
  /** Everything has come, and the connection may serve another request; told before the end is, so that who waits for the end finds it free. */
  onFree(): void
  /** An interim answer: 1xx, not 101. */
  onInterim?(status: number, headers: HeaderMap): void
  onResponse(response: HttpResponse): void
  /** The response has come whole; its body's sink hears `end` right after. */
  onEnd(): void
  /** Also told to the sink of a body under way. */
  onReset(reason: ResetReason, error?: Error): void
}

export interface ClientExchange {
  /** Absent: this codec does not count them. */
  readonly wire?: WireBytes
  /** Nobody wants the answer. The connection of an HTTP/1 exchange closes. */
  cancel(): void
}

export interface ClientSession {
  readonly connection: Connection
  readonly protocol: 'HTTP/1.1' | 'HTTP/2'
  /** May take another request now. */
  readonly available: boolean
  /** Requests under way. */
  readonly active: number
  /** Requests sent so far. */
  readonly total: number
  send(request: HttpRequest, events: ClientExchangeEvents): ClientExchange
  /** Takes no more requests, closes when those under way are over. */
  drain(): void
  destroy(error?: Error): void
}
