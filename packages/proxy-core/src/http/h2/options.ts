/** Envoy's Http2ProtocolOptions, with the defaults filled in. */
export interface Http2Options {
  /** Bytes of the HPACK table that peers may use here. */
  readonly hpackTableSize: number
  /** Requests under way at once: what a client is allowed, and what is asked of an upstream at most. */
  readonly maxConcurrentStreams: number
  /** Bytes that a peer may send ahead of what has been taken, for a stream and for the connection. */
  readonly initialStreamWindowSize: number
  readonly initialConnectionWindowSize: number
  /** Frames that wait for a peer which does not read; beyond it the connection closes. */
  readonly maxOutboundFrames: number
  /** The same for PING and SETTINGS acknowledgements and RST_STREAM. */
  readonly maxOutboundControlFrames: number
  readonly maxConsecutiveInboundFramesWithEmptyPayload: number
  readonly maxInboundPriorityFramesPerStream: number
  readonly maxInboundWindowUpdateFramesPerDataFrameSent: number
  /** Extended CONNECT (RFC 8441). */
  readonly allowConnect: boolean
  /** An invalid message ends its stream only; by default, as in Envoy, the connection. */
  readonly streamErrorOnInvalidHttpMessage: boolean
  readonly keepalive?: Http2Keepalive
}

/** Pings that find dead connections. Milliseconds. */
export interface Http2Keepalive {
  /** 0: only idle connections are asked, see `connectionIdleIntervalMs`. */
  readonly intervalMs: number
  readonly timeoutMs: number
  /** A connection idle for so long is asked together with its next request. 0: never. */
  readonly connectionIdleIntervalMs: number
}

export const DEFAULT_HTTP2_OPTIONS: Http2Options = {
  hpackTableSize: 4096,
  maxConcurrentStreams: 1024,
  initialStreamWindowSize: 256 * 1024,
  initialConnectionWindowSize: 4 * 1024 * 1024,
  maxOutboundFrames: 10_000,
  maxOutboundControlFrames: 1000,
  maxConsecutiveInboundFramesWithEmptyPayload: 1,
  maxInboundPriorityFramesPerStream: 100,
  maxInboundWindowUpdateFramesPerDataFrameSent: 10,
  allowConnect: false,
  streamErrorOnInvalidHttpMessage: false,
}
