/** What of Http1ProtocolOptions concerns how messages are read and written. */
export interface Http1CodecOptions {
  /**
   * header_key_format. PROPER_CASE: `Content-Type`. PRESERVE_CASE: as the sender of a message wrote its names, over either side;
   * names that the proxy adds stay in lower case, or become PROPER_CASE with formatter_type_on_envoy_headers.
   */
  readonly keyFormat?: 'PROPER_CASE' | 'PRESERVE_CASE' | 'PRESERVE_CASE_AND_PROPER'
  /** Content-Length beside chunked is dropped; by default the message is refused. */
  readonly allowChunkedLength?: boolean
  /** allow_absolute_url: false. A target with a scheme and a host is a path like any other, and none that is routed. */
  readonly onlyPaths?: boolean
  /** Host of HTTP/1.0 requests that name none. */
  readonly defaultHost?: string
}

export const NO_HTTP1_OPTIONS: Http1CodecOptions = {}
