import type { HeaderMap } from '../../http/header-map.js'
import type { TraceContext } from '../trace-context.js'

/** SERVER for what comes in to a workload, CLIENT for what it calls. */
export type SpanKind = 'SERVER' | 'CLIENT'

/** Our own place in a trace. */
export interface SpanContext extends TraceContext {
  readonly sampled: boolean
  /** The id is the caller's: Zipkin's two halves of one span. */
  readonly shared: boolean
}

/** What one proxy did for one request. Times are milliseconds since the epoch. */
export interface Span {
  readonly context: SpanContext
  readonly kind: SpanKind
  readonly name: string
  readonly startMs: number
  readonly endMs: number
  readonly tags: ReadonlyMap<string, string>
  /** The server failed: 5xx, or no answer. */
  readonly error: boolean
}

/** A tracing provider at work: its headers, its ids, its collector. */
export interface Tracer {
  /** A span that nothing gives a name has its request's host for one; else it is `ingress`, or `egress <host>`. */
  readonly namesByHost?: boolean
  /** Takes our place in the trace that the headers tell of, or begins one; `sampled` counts when nobody before us has decided. */
  begin(headers: HeaderMap, kind: SpanKind, sampled: boolean): SpanContext
  /** Tells the next hop. */
  inject(headers: HeaderMap, context: SpanContext): void
  /** Never waits, never throws. Only what is sampled. */
  report(span: Span): void
  /** Resolves when what was reported is sent, or lost. */
  flush(): Promise<void>
}
