import { emptyBody } from '../body.js'
import type { ExchangeEvents, ServerExchange, WireBytes } from '../codec.js'
import { createHeaderMap, type HeaderMap } from '../header-map.js'
import type { HttpRequest, HttpResponse } from '../message.js'
import type { Http2Connection } from './connection.js'
import { Http2Error } from './error.js'
import { ERROR_CODE } from './frames.js'
import { addFields, sayUpgrade } from './message-fields.js'
import type { MessageHead } from './message-head.js'
import type { Http2Stream, StreamOwner } from './stream.js'

const noEvents: ExchangeEvents = { onDone() {}, onBroken() {}, onReset() {} }

/** What an exchange asks of its session. */
interface ExchangeHome {
  readonly failure: Http2Error | undefined
  drain(closeIdle: boolean): void
}

/** A request on a stream of its own, and its answer. */
export class Http2ServerExchange implements ServerExchange, StreamOwner {
  readonly request: HttpRequest
  readonly upgrade: string | undefined
  events: ExchangeEvents = noEvents
  readonly #h2: Http2Connection
  readonly #home: ExchangeHome
  #stream!: Http2Stream
  #responded = false
  #over = false

  constructor(h2: Http2Connection, home: ExchangeHome, head: MessageHead, endStream: boolean, scheme: 'http' | 'https') {
    this.#h2 = h2
    this.#home = home
    const { method, protocol, authority, path, headers } = head
    this.upgrade = method !== 'CONNECT' ? undefined : protocol === '' ? 'connect' : protocol.toLowerCase()
    if (this.upgrade !== undefined && this.upgrade !== 'connect') sayUpgrade(headers, protocol)
    this.request = {
      // Extended CONNECT is what HTTP/1.1 says with GET and Upgrade.
      method: protocol === '' ? method : 'GET',
      scheme,
      authority,
      path,
      protocol: 'HTTP/2',
      headers,
      body: endStream ? emptyBody : UNSET,
    }
  }

  begin(stream: Http2Stream, endStream: boolean, head: MessageHead): void {
    this.#stream = stream
    stream.length = head.contentLength < 0 ? undefined : head.contentLength
    if (endStream) {
      stream.remoteEnded = true
      stream.finish(undefined)
      return
    }
    this.request.body = stream
    if (head.expectContinue) this.#sendContinue()
  }

  get bytesReceived(): number {
    return this.#stream.received
  }

  get bytesSent(): number {
    return this.#stream.sent
  }

  get wire(): WireBytes {
    return this.#stream.wire
  }

  get requestComplete(): boolean {
    return this.#stream.remoteEnded
  }

  respond(response: HttpResponse, close: boolean): void {
    const stream = this.#stream
    if (this.#responded || stream.closed) {
      response.body.discard()
      return
    }
    this.#responded = true
    if (close) this.#home.drain(false)
    const { body, headers } = response
    // RFC 8441 §5: 200 takes the place of 101.
    const status = response.status === 101 && this.upgrade !== undefined ? 200 : response.status
    const bodiless = this.request.method === 'HEAD' || status === 204 || status === 304 || status < 200
    const endStream = bodiless || body.length === 0
    const block = this.#h2.out.startFields()
    block.add(':status', String(status))
    addFields(block, headers, bodiless ? headers.get('content-length') : body.length?.toString())
    if (bodiless) body.discard()
    this.#h2.out.headers(stream, block, endStream)
    if (endStream) return
    stream.source = body
    body.consume(stream)
  }

  inform(status: number, headers: HeaderMap): void {
    if (this.#responded || this.#stream.closed) return
    const block = this.#h2.out.startFields()
    block.add(':status', String(status))
    addFields(block, headers, undefined)
    this.#h2.out.headers(this.#stream, block, false)
  }

  reset(): void {
    this.#h2.reset(this.#stream, ERROR_CODE.internalError)
  }

  onLocalEnd(): void {
    if (!this.#stream.remoteEnded) this.#h2.closeEarly(this.#stream)
    this.#done()
  }

  onRemoteEnd(): void {}

  onReset(_code: number, byPeer: boolean, error?: Error): void {
    if (this.#over) return
    this.#over = true
    this.#stream.source?.discard()
    const { failure } = this.#home
    if (byPeer) this.events.onReset(error, { details: 'http2.remote_reset', flag: 'DR' })
    else if (failure !== undefined) this.events.onReset(failure, { details: failure.details, flag: 'DPE' })
    else if (error instanceof Http2Error) this.events.onReset(error, { details: error.details, flag: 'DPE' })
    else this.events.onReset(error)
  }

  #done(): void {
    if (this.#over) return
    this.#over = true
    this.events.onDone()
  }

  #sendContinue(): void {
    const block = this.#h2.out.startFields()
    block.add(':status', '100')
    this.#h2.out.headers(this.#stream, block, false)
  }
}

// Set before anybody sees the request.
const UNSET = emptyBody

/** Of a request whose head could not be taken: nothing of it is told, and nothing can be said to it. */
export function createRefusedExchange(scheme: 'http' | 'https'): ServerExchange {
  const request: HttpRequest = {
    ...{ method: '', scheme, authority: '', path: '', protocol: 'HTTP/2' as const },
    headers: createHeaderMap(),
    body: emptyBody,
  }
  return {
    ...{ request, upgrade: undefined, bytesReceived: 0, bytesSent: 0, requestComplete: true, events: noEvents },
    inform() {},
    respond: (response) => response.body.discard(),
    reset() {},
  }
}
