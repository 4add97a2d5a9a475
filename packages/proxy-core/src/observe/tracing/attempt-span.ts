import type { Clock } from '@heddle/runtime'
import { formatAddress } from '../../net/address.js'
import type { AccessLogEntry } from '../access-log.js'
import type { CustomTag } from './custom-tags.js'
import type { SpanContext, Tracer } from './span.js'

/** One attempt at an endpoint, as its sender tells of it. */
export interface AttemptSpan {
  /** It goes out in this version of HTTP. */
  connected(protocol: string): void
  answered(status: number): void
  /** Nothing more is heard of it. Later calls change nothing. */
  over(end?: AttemptEnd): void
}

/** Why an attempt ended that came to no answer for the client. */
export interface AttemptEnd {
  /** A response flag. */
  readonly flag?: string
  /** In words: `remote connection failure`. */
  readonly reason?: string
  /** It was given up: a retry, a timeout, a client that has left. */
  readonly canceled?: boolean
}

export interface AttemptSpanOptions {
  readonly tracer: Tracer
  readonly clock: Clock
  readonly context: SpanContext
  readonly name: string
  readonly customTags: readonly CustomTag[]
  readonly entry: AccessLogEntry
}

/** A span of the call upstream alone (spawn_upstream_span), with the tags that Envoy gives it. */
export class OneAttemptSpan implements AttemptSpan {
  readonly #options: AttemptSpanOptions
  readonly #startMs: number
  readonly #endpoint: string
  readonly #number: number
  #endMs: number | undefined
  #protocol = '-'
  #status = 0
  #reported = false

  constructor(options: AttemptSpanOptions) {
    this.#options = options
    const { endpoint, attempts } = options.entry.info
    this.#startMs = this.#now()
    this.#endpoint = endpoint === undefined ? '' : formatAddress(endpoint.address)
    this.#number = attempts
  }

  #now(): number {
    const { info } = this.#options.entry
    return info.startTime + (this.#options.clock.monotonic() - info.start)
  }

  connected(protocol: string): void {
    this.#protocol = protocol
  }

  answered(status: number): void {
    this.#status = status
  }

  over(end?: AttemptEnd): void {
    this.#endMs ??= this.#now()
    // What the client got is told with all that its trailers say.
    if (end !== undefined) this.#report(end, false)
  }

  /** The request is over, and with it the attempt that was its last. */
  finish(): void {
    this.#report(this.#endMs === undefined ? { canceled: true } : {}, true)
  }

  #report(end: AttemptEnd, last: boolean): void {
    if (this.#reported) return
    this.#reported = true
    const { tracer, context, name } = this.#options
    const error = this.#status === 0 || this.#status >= 500
    const tags = this.#tags(end, last)
    if (error) tags.set('error', 'true')
    tracer.report({ context, kind: 'CLIENT', name, startMs: this.#startMs, endMs: this.#endMs ?? this.#now(), tags, error })
  }

  #tags({ flag, reason, canceled }: AttemptEnd, last: boolean): Map<string, string> {
    const { customTags, entry } = this.#options
    const { info, responseTrailers, responseHeaders } = entry
    const tags = new Map<string, string>()
    if (this.#number > 1) tags.set('retry.count', String(this.#number - 1))
    tags.set('http.protocol', this.#protocol)
    tags.set('upstream_address', this.#endpoint)
    tags.set('peer.address', this.#endpoint)
    if (last && info.grpcStatus !== undefined) {
      tags.set('grpc.status_code', info.grpcStatus)
      const message = responseTrailers?.get('grpc-message') ?? responseHeaders?.get('grpc-message')
      if (message !== undefined) tags.set('grpc.message', message)
    }
    tags.set('component', 'proxy')
    if (info.cluster !== undefined) {
      tags.set('upstream_cluster', info.cluster)
      tags.set('upstream_cluster.name', info.cluster)
    }
    tags.set('http.status_code', String(this.#status))
    tags.set('response_flags', flag ?? '-')
    if (reason !== undefined) tags.set('error.reason', reason)
    if (canceled === true) tags.set('canceled', 'true')
    for (const { tag, read } of customTags) {
      const value = read(entry)
      if (value !== undefined) tags.set(tag, value)
    }
    return tags
  }
}
