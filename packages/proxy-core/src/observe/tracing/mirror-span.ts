import type { Clock } from '@heddle/runtime'
import type { StreamInfo } from '../../http/stream-info.js'
import { formatAddress } from '../../net/address.js'
import type { Endpoint } from '../../upstream/endpoint.js'
import type { SpanContext, Tracer } from './span.js'

/** Where a copy of a request goes. */
export interface MirrorCall {
  readonly cluster: string
  /** Undefined: no endpoint can take it. */
  readonly endpoint: Endpoint | undefined
  /** trace_sampled; undefined: as the request itself. */
  readonly sampled: boolean | undefined
}

/** A mirrored request, as its sender tells of it. */
export interface MirrorSpan {
  /** It goes out in this version of HTTP. */
  connected(protocol: string): void
  answered(status: number): void
  /** `flag`: the response flag of a call that came to no answer. Later calls change nothing. */
  over(flag?: string): void
}

export interface MirrorSpanOptions {
  readonly tracer: Tracer
  readonly clock: Clock
  readonly context: SpanContext
  readonly call: MirrorCall
  /** Of the request. */
  readonly info: StreamInfo
}

/** What Envoy's own client answers where no server does. */
const NO_ANSWER = 503

/** A span below that of the request, with the name and the tags that Envoy's client gives it. */
export function createMirrorSpan({ tracer, clock, context, call, info }: MirrorSpanOptions): MirrorSpan {
  const now = (): number => info.startTime + (clock.monotonic() - info.start)
  const startMs = now()
  let [protocol, status, reported] = ['HTTP/1.1', 0, false]
  return {
    connected(version) {
      protocol = version
    },
    answered(code) {
      status = code
    },
    over(flag = '-') {
      if (reported) return
      reported = true
      const told = status === 0 ? NO_ANSWER : status
      const error = told >= 500
      const tags = new Map([['http.protocol', protocol]])
      if (call.endpoint !== undefined) {
        const address = formatAddress(call.endpoint.address)
        tags.set('upstream_address', address)
        tags.set('peer.address', address)
      }
      tags.set('component', 'proxy')
      tags.set('upstream_cluster', call.cluster)
      tags.set('upstream_cluster.name', call.cluster)
      tags.set('http.status_code', String(told))
      tags.set('response_flags', flag)
      if (error) tags.set('error', 'true')
      tracer.report({ context, kind: 'CLIENT', name: 'mirror', startMs, endMs: now(), tags, error })
    },
  }
}
