/** What Envoy's log says of any frame that its codec could not take. */
export const CALLBACK_FAILED = 'codec_error:The_user_callback_function_failed'

/** And of frames that its codec could read and does not allow where they stand. */
export const NOT_ALLOWED = 'http2.unknown.nghttp2.error'

/** Of a request whose body is not as long as was said: what its log says of a stream that is reset. */
export const WRONG_LENGTH = 'http2.remote_reset'

/** The connection cannot go on (RFC 9113 §5.4.1). */
export class Http2Error extends Error {
  /** Of RFC 9113 §7. */
  readonly errorCode: number
  /** False: it is closed without a GOAWAY, as Envoy closes it for frames that are well formed and not allowed. */
  readonly tell: boolean
  /** Envoy's words for the access log. */
  readonly details: string

  constructor(errorCode: number, message: string, { tell = true, details = '' }: { tell?: boolean; details?: string } = {}) {
    super(message)
    this.name = 'Http2Error'
    this.errorCode = errorCode
    this.tell = tell
    this.details = details === '' ? CALLBACK_FAILED : details
  }
}
