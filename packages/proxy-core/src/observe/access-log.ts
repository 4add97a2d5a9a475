import type { WireBytes } from '../http/codec.js'
import type { HeaderMap } from '../http/header-map.js'
import type { StreamInfo } from '../http/stream-info.js'
import type { Connection } from '../net/connection.js'

/** Everything an access log may speak of: the request's story and the headers that went over the wire. */
export interface AccessLogEntry {
  readonly info: StreamInfo
  /** As the last filter left them. Absent for TCP. */
  readonly requestHeaders?: HeaderMap | undefined
  /** As they went to the client. Absent when no response began. */
  readonly responseHeaders?: HeaderMap | undefined
  readonly responseTrailers?: HeaderMap | undefined
  /** Only while the proxy formats an answer of its own: what it would say. */
  readonly localReplyBody?: string | undefined
  /** The client's. */
  readonly connection?: Connection | undefined
  /** Of HTTP, as far as the codec counts them. */
  readonly downstreamWire?: WireBytes | undefined
  /** Of the last attempt. */
  readonly upstreamWire?: WireBytes | undefined
  /** Absent: the connection is over, or a request that is under way is asked for its words. */
  readonly type?: AccessLogType | undefined
}

/** When an entry is written (envoy.data.accesslog.v3.AccessLogType); `NotSet`: by a listener. */
export type AccessLogType =
  | 'NotSet'
  | 'TcpConnectionStart'
  | 'TcpUpstreamConnected'
  | 'TcpPeriodic'
  | 'TcpConnectionEnd'
  | 'DownstreamStart'
  | 'DownstreamTunnelSuccessfullyEstablished'
  | 'DownstreamPeriodic'
  | 'DownstreamEnd'

/** Takes finished lines. Writing is buffered: `write` never waits and never throws. */
export interface AccessLogSink {
  /** `line` ends with the newline that its format asked for. */
  write(line: string): void
  /** Takes a line piece by piece, and the next one when it has ended; faster, for what can. */
  readonly pieces?: LinePieces
}

export interface LinePieces {
  add(text: string): void
  /** As a string of JSON. */
  addJson(text: string): void
  end(): void
}

/** Where lines go: one sink per path, `/dev/stdout` and `/dev/stderr` among them. Throws where nothing can be written to: the configuration is refused then. */
export type AccessLogSinks = (path: string) => AccessLogSink

/** One access log of an HTTP manager, a TCP proxy or a listener, compiled: filter, format and sink. */
export interface AccessLogConfig {
  /** `envoy.access_loggers.file`. */
  readonly name: string
  /** Called once per request or connection, when it is over. Never throws. */
  log(entry: AccessLogEntry): void
}
