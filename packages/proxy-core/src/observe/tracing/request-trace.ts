import type { Clock, Random } from '@heddle/runtime'
import type { HeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import { createHexId } from '../../net/uuid.js'
import type { RouteDecision } from '../../route/decision.js'
import type { AccessLogEntry } from '../access-log.js'
import type { LogFormatter } from '../log-format.js'
import { type AttemptSpan, OneAttemptSpan } from './attempt-span.js'
import type { CustomTag } from './custom-tags.js'
import { createMirrorSpan, type MirrorCall, type MirrorSpan } from './mirror-span.js'
import { decideTracing, type Sampling } from './sampling.js'
import type { SpanContext, SpanKind, Tracer } from './span.js'
import { standardTags } from './standard-tags.js'

/** HttpConnectionManager.Tracing, compiled. */
export interface TracingConfig {
  readonly sampling: Sampling
  readonly customTags: readonly CustomTag[]
  /** Of http.url, in characters. */
  readonly maxPathTagLength: number
  /** What spans are called, whatever decorators say. */
  readonly operation?: LogFormatter
  /** spawn_upstream_span: each attempt at an endpoint is a span of its own. `operation`: what it is called. */
  readonly upstream?: { readonly operation?: LogFormatter }
  /** The next hop hears of the trace; else of what the headers said before. */
  readonly propagates: boolean
}

/** Route.tracing and Route.decorator, compiled. */
export interface RouteTracing {
  readonly sampling?: Sampling
  readonly customTags: readonly CustomTag[]
  readonly decorator?: { readonly operation: string; readonly propagate: boolean }
}

export interface HttpTracingOptions {
  readonly config: TracingConfig
  /** Absent: ids of requests are marked, and no spans made. */
  readonly tracer?: Tracer
  readonly direction: 'INBOUND' | 'OUTBOUND' | 'UNSPECIFIED'
  readonly node: { readonly id: string; readonly zone: string }
  readonly clock: Clock
  readonly random: Random
}

/** The tracing of one HTTP connection manager. */
export interface HttpTracing {
  /** When the request is the proxy's own, before its filters. */
  begin(request: HttpRequest, entry: AccessLogEntry, route: RouteDecision | undefined): RequestTrace
}

/** One request's part in a trace. */
export interface RequestTrace {
  /** On its way upstream. */
  inject(headers: HeaderMap): void
  /** An attempt at the endpoint that was chosen begins; undefined: it is no span of its own. */
  attempt(headers: HeaderMap, entry: AccessLogEntry): AttemptSpan | undefined
  /** A copy of the request, of which these are the headers, goes elsewhere; undefined: nobody is told of it. */
  mirror(headers: HeaderMap, entry: AccessLogEntry, call: MirrorCall): MirrorSpan | undefined
  onResponse(headers: HeaderMap): void
  finish(entry: AccessLogEntry): void
}

const DECORATOR = 'x-envoy-decorator-operation'

export function createHttpTracing(options: HttpTracingOptions): HttpTracing {
  return { begin: (request, entry, route) => new OneTrace(options, request, entry, tracingOf(route)) }
}

const tracingOf = (route: RouteDecision | undefined): RouteTracing | undefined =>
  route === undefined || route.kind === 'none' ? undefined : route.route?.tracing

/** The place of a call that is made for the one of `parent`. */
function below(parent: SpanContext): SpanContext {
  return { ...parent, spanId: createHexId(8), parentId: parent.spanId, shared: false }
}

class OneTrace implements RequestTrace {
  readonly #options: HttpTracingOptions
  readonly #route: RouteTracing | undefined
  readonly #context: SpanContext | undefined
  /** The manager calls for a workload, and does not answer for one. */
  readonly #egress: boolean
  readonly #kind: SpanKind
  readonly #host: string
  #attempt: OneAttemptSpan | undefined
  /** Of a decorator, ours or a neighbour's. */
  #operation: string

  constructor(options: HttpTracingOptions, request: HttpRequest, { info }: AccessLogEntry, route: RouteTracing | undefined) {
    this.#options = options
    this.#route = route
    this.#egress = options.direction === 'OUTBOUND'
    // Where the call upstream is a span of its own, this one is of the call that came.
    this.#kind = this.#egress && options.config.upstream === undefined ? 'CLIENT' : 'SERVER'
    this.#host = request.authority
    const { headers } = request
    const sampling = route?.sampling ?? options.config.sampling
    const { traced, requestId } = decideTracing(headers, info.requestId, sampling, options.random)
    if (requestId !== undefined && requestId !== info.requestId) {
      info.requestId = requestId
      headers.set('x-request-id', requestId)
    }
    this.#context = options.tracer?.begin(headers, this.#kind, traced)
    this.#operation = this.#decorate(headers, route?.decorator)
  }

  /** Clients tell servers what their spans are called, and the other way round. */
  #decorate(headers: HeaderMap, decorator: RouteTracing['decorator']): string {
    const own = decorator?.operation ?? ''
    if (this.#egress) {
      if (own !== '' && decorator?.propagate === true) headers.set(DECORATOR, own)
      return own
    }
    const told = headers.get(DECORATOR) ?? ''
    headers.delete(DECORATOR)
    return told === '' ? own : told
  }

  inject(headers: HeaderMap): void {
    if (this.#context !== undefined) this.#tell(headers, this.#context)
  }

  attempt(headers: HeaderMap, entry: AccessLogEntry): AttemptSpan | undefined {
    const { config, tracer, clock } = this.#options
    if (config.upstream === undefined || this.#context === undefined || tracer === undefined) return undefined
    const context = below(this.#context)
    this.#tell(headers, context)
    if (!context.sampled) return undefined
    const name = config.upstream.operation?.(entry) ?? `router ${entry.info.cluster} egress`
    this.#attempt = new OneAttemptSpan({ tracer, clock, context, name, customTags: this.#customTags(), entry })
    return this.#attempt
  }

  mirror(headers: HeaderMap, { info }: AccessLogEntry, call: MirrorCall): MirrorSpan | undefined {
    const { tracer, clock } = this.#options
    if (this.#context === undefined || tracer === undefined) return undefined
    const parent = below(this.#context)
    const context = { ...parent, sampled: call.sampled ?? parent.sampled }
    this.#tell(headers, context)
    return context.sampled ? createMirrorSpan({ tracer, clock, context, call, info }) : undefined
  }

  onResponse(headers: HeaderMap): void {
    if (this.#egress) {
      const told = headers.get(DECORATOR)
      if (told !== undefined && told !== '') this.#operation = told
      headers.delete(DECORATOR)
      return
    }
    const decorator = this.#route?.decorator
    if (decorator !== undefined && decorator.operation !== '' && decorator.propagate) headers.set(DECORATOR, decorator.operation)
  }

  finish(entry: AccessLogEntry): void {
    const context = this.#context
    if (context === undefined || !context.sampled) return
    this.#attempt?.finish()
    const { tracer, clock } = this.#options
    const { startTime, start, end = clock.monotonic(), status } = entry.info
    tracer?.report({
      context,
      kind: this.#kind,
      name: this.#name(entry),
      startMs: startTime,
      endMs: startTime + (end - start),
      tags: this.#tags(entry),
      error: status === 0 || status >= 500,
    })
  }

  #tell(headers: HeaderMap, context: SpanContext): void {
    const { config, tracer } = this.#options
    if (config.propagates) tracer?.inject(headers, context)
  }

  /** What the manager calls spans goes before what routes and neighbours call them. */
  #name(entry: AccessLogEntry): string {
    const { config, tracer } = this.#options
    if (config.operation !== undefined) return config.operation(entry)
    if (this.#operation !== '') return this.#operation
    if (tracer?.namesByHost === true) return this.#host
    return this.#egress ? `egress ${this.#host}` : 'ingress'
  }

  #tags(entry: AccessLogEntry): Map<string, string> {
    const { config, node } = this.#options
    const tags = standardTags(entry, node, config.maxPathTagLength)
    for (const { tag, read } of this.#customTags()) {
      const value = read(entry)
      if (value !== undefined) tags.set(tag, value)
    }
    return tags
  }

  /** The route's go before the manager's of the same name. */
  #customTags(): readonly CustomTag[] {
    return [...this.#options.config.customTags, ...(this.#route?.customTags ?? [])]
  }
}
