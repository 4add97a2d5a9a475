import { emptyBody } from '../body.js'
import type { ClientExchange, ClientExchangeEvents, ResetReason, WireBytes } from '../codec.js'
import type { HttpRequest, HttpResponse } from '../message.js'
import type { Http2Connection } from './connection.js'
import { ERROR_CODE } from './frames.js'
import { KIND } from './header-field.js'
import { addFields, sayUpgrade } from './message-fields.js'
import type { MessageHead } from './message-head.js'
import type { Http2Stream, StreamOwner } from './stream.js'

/** A request sent on a stream of its own. */
export class Http2ClientExchange implements ClientExchange, StreamOwner {
  /** The connection has failed by a fault of the upstream. */
  failed = false
  readonly #h2: Http2Connection
  readonly #request: HttpRequest
  readonly #events: ClientExchangeEvents
  #stream!: Http2Stream
  #responded = false
  #over = false

  constructor(h2: Http2Connection, request: HttpRequest, events: ClientExchangeEvents) {
    this.#h2 = h2
    this.#request = request
    this.#events = events
  }

  start(stream: Http2Stream): void {
    this.#stream = stream
    const request = this.#request
    const { method, scheme, authority, path, headers, body, upgrade } = request
    const block = this.#h2.out.startFields()
    const extended = upgrade !== undefined && upgrade !== 'connect'
    block.add(':method', extended ? 'CONNECT' : method)
    if (extended) block.add(':protocol', upgrade)
    if (upgrade !== 'connect') {
      block.add(':scheme', scheme)
      block.add(':path', path)
    }
    block.add(':authority', authority)
    addFields(block, headers, upgrade === undefined ? body.length?.toString() : undefined)
    const endStream = body.length === 0 && upgrade === undefined
    this.#h2.out.headers(stream, block, endStream)
    // Of an upgrade nothing is sent before the upstream has agreed (CVE-2025-64763).
    if (!endStream && upgrade === undefined) this.#sendBody()
  }

  get wire(): WireBytes {
    return this.#stream.wire
  }

  cancel(): void {
    if (this.#over) return
    this.#over = true
    this.#stopSending()
    // Nor does the sink of the answer hear any more.
    this.#stream.discard()
    this.#h2.reset(this.#stream, ERROR_CODE.cancel)
  }

  onHeaders(head: MessageHead, endStream: boolean): void {
    if (this.#stream.remoteEnded) {
      this.#h2.reset(this.#stream, ERROR_CODE.streamClosed)
      return
    }
    if (this.#responded) this.#onTrailers(head, endStream)
    else this.#onResponse(head, endStream)
  }

  #onResponse(head: MessageHead, endStream: boolean): void {
    const { status, headers } = head
    const onlyStatus = !head.has(KIND.method) && !head.has(KIND.path) && !head.has(KIND.scheme) && !head.has(KIND.authority)
    const interim = status < 200
    // RFC 9113 §8.6: there is no 101; an interim answer is not the end.
    if (head.problem !== '' || status < 100 || status === 101 || !onlyStatus || (interim && endStream)) {
      this.#h2.reset(this.#stream, ERROR_CODE.protocolError)
      return
    }
    if (interim) {
      this.#events.onInterim?.(status, headers)
      return
    }
    this.#responded = true
    const { method, upgrade } = this.#request
    const bodiless = method === 'HEAD' || status === 204 || status === 304
    const stream = this.#stream
    if (!bodiless && head.contentLength >= 0) stream.length = head.contentLength
    if (endStream && stream.length !== undefined && stream.length > 0) {
      this.#h2.reset(stream, ERROR_CODE.protocolError)
      return
    }
    const accepted = upgrade !== undefined && status < 300 && !endStream
    if (accepted && upgrade !== 'connect') sayUpgrade(headers, upgrade)
    const response: HttpResponse = {
      status: accepted && upgrade !== 'connect' ? 101 : status,
      headers,
      body: endStream ? emptyBody : stream,
    }
    if (endStream) this.#whole(response)
    else {
      this.#events.onResponse(response)
      if (accepted && !stream.closed) this.#sendBody()
    }
  }

  /** An answer without a body. */
  #whole(response: HttpResponse): void {
    this.#over = true
    this.#events.onFree()
    this.#finishRequest()
    this.#h2.remoteEnd(this.#stream, undefined)
    this.#events.onResponse(response)
    this.#events.onEnd()
  }

  #onTrailers(head: MessageHead, endStream: boolean): void {
    const stream = this.#stream
    const short = stream.length !== undefined && stream.received !== stream.length
    if (head.problem !== '' || head.hasPseudo || !endStream || short) this.#h2.reset(stream, ERROR_CODE.protocolError)
    else this.#h2.remoteEnd(stream, head.headers.size === 0 ? undefined : head.headers)
  }

  onLocalEnd(): void {}

  onRemoteEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#events.onFree()
    this.#events.onEnd()
    this.#finishRequest()
  }

  /** The answer is whole before the request is: the rest is not wanted. */
  #finishRequest(): void {
    const stream = this.#stream
    if (stream.localEnded || stream.closed) return
    this.#stopSending()
    this.#h2.closeSending(stream)
  }

  onReset(code: number, byPeer: boolean, error?: Error): void {
    if (this.#over) return
    this.#over = true
    this.#stopSending()
    this.#events.onReset(this.#reason(code, byPeer), error)
  }

  #reason(code: number, byPeer: boolean): ResetReason {
    if (byPeer) return code === ERROR_CODE.refusedStream ? 'remote_refused' : 'remote_reset'
    return code === ERROR_CODE.connectError && !this.failed ? 'connection_termination' : 'protocol_error'
  }

  #sendBody(): void {
    const { body } = this.#request
    this.#stream.source = body
    body.consume(this.#stream)
  }

  #stopSending(): void {
    if (!this.#stream.localEnded) this.#request.body.discard()
    this.#stream.source = undefined
  }
}
