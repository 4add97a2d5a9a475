import type { Logger } from '@heddle/runtime'
import type { HttpFilter, HttpStream } from './filter.js'
import type { HttpRequest, HttpResponse, LocalReply } from './message.js'
import type { StreamInfo } from './stream-info.js'

/** What comes of a chain. */
export interface FilterChainEvents {
  /** The request has been answered, or is gone: a filter that waited is not heard any more. */
  readonly settled: boolean
  /** Every filter has let the request pass. */
  onPassed(): void
  /** A filter answers. */
  onFilterReply(reply: LocalReply): void
  /** Every response hook has run. */
  onFinished(response: HttpResponse): void
  /** A response hook has failed: there is no answer to give. */
  onBroken(): void
}

/** The filters of one request: requests go through in order, responses in reverse, completion always. */
export class FilterChain {
  readonly #filters: readonly HttpFilter[]
  readonly #stream: HttpStream
  readonly #events: FilterChainEvents
  readonly #logger: Logger

  constructor(filters: readonly HttpFilter[], stream: HttpStream, events: FilterChainEvents, logger: Logger) {
    this.#filters = filters
    this.#stream = stream
    this.#events = events
    this.#logger = logger
  }

  request(request: HttpRequest, first: number = 0): void {
    for (let i = first; i < this.#filters.length; i++) {
      const filter = this.#filters[i]!
      if (filter.onRequest === undefined) continue
      let outcome: ReturnType<NonNullable<HttpFilter['onRequest']>>
      try {
        outcome = filter.onRequest(request, this.#stream)
      } catch (error) {
        this.#requestFailed(error)
        return
      }
      if (outcome === undefined) continue
      if (outcome instanceof Promise) {
        this.#waitForRequest(outcome, request, i + 1)
        return
      }
      this.#events.onFilterReply(outcome)
      return
    }
    this.#events.onPassed()
  }

  #waitForRequest(outcome: Promise<void | LocalReply>, request: HttpRequest, next: number): void {
    outcome.then(
      (reply) => {
        if (this.#events.settled) return
        if (reply === undefined) this.request(request, next)
        else this.#events.onFilterReply(reply)
      },
      (error) => this.#requestFailed(error),
    )
  }

  #requestFailed(error: unknown): void {
    if (this.#events.settled) return
    this.#logger.error({ error, path: this.#stream.request.path }, 'an HTTP filter failed')
    this.#events.onFilterReply({ status: 500, body: 'Internal Server Error', details: 'filter_failed' })
  }

  response(response: HttpResponse, first: number = this.#filters.length - 1): void {
    for (let i = first; i >= 0; i--) {
      const filter = this.#filters[i]!
      if (filter.onResponse === undefined) continue
      let outcome: void | Promise<void>
      try {
        outcome = filter.onResponse(response, this.#stream)
      } catch (error) {
        this.#responseFailed(error)
        return
      }
      if (!(outcome instanceof Promise)) continue
      const next = i - 1
      outcome.then(
        () => this.response(response, next),
        (error) => this.#responseFailed(error),
      )
      return
    }
    this.#events.onFinished(response)
  }

  #responseFailed(error: unknown): void {
    this.#logger.error({ error, path: this.#stream.request.path }, 'an HTTP filter failed on a response')
    this.#events.onBroken()
  }

  complete(info: StreamInfo): void {
    for (const filter of this.#filters) {
      try {
        filter.onComplete?.(info)
      } catch (error) {
        this.#logger.error({ error }, 'an HTTP filter failed on completion')
      }
    }
  }
}
