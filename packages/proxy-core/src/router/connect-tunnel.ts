import { createHeaderMap } from '../http/header-map.js'
import type { Body, BodySink, HttpRequest } from '../http/message.js'
import type { Connection, ConnectionHandler } from '../net/connection.js'
import type { UpstreamCluster } from '../upstream/cluster.js'
import type { Endpoint } from '../upstream/endpoint.js'
import type { Attempt, AttemptEvents } from '../upstream/pool.js'

/** connect_config: the CONNECT ends here, and the bytes of its body go to the endpoint as they are. */
export function openConnectTunnel(
  cluster: UpstreamCluster,
  endpoint: Endpoint,
  request: HttpRequest,
  events: AttemptEvents,
): Attempt {
  if (!cluster.resources.mayConnect()) {
    cluster.stats.upstreamCxOverflow.inc()
    events.onFailure('overflow')
    return { cancel() {} }
  }
  let tunnel: Tunnel | undefined
  let cancelled = false
  cluster.connect(endpoint).then(
    (connection) => {
      if (cancelled) connection.destroy()
      else {
        tunnel = new Tunnel(connection, request.body, events)
        tunnel.open()
      }
    },
    (error: Error & { code?: string }) => {
      if (!cancelled) events.onFailure(error.code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_failure', error)
    },
  )
  return {
    cancel() {
      cancelled = true
      tunnel?.cancel()
    },
  }
}

/** A bare connection as the two bodies of an exchange. */
class Tunnel implements Body, BodySink, ConnectionHandler {
  readonly length: undefined
  readonly #connection: Connection
  readonly #request: Body
  readonly #events: AttemptEvents
  #sink: BodySink | undefined
  #over = false

  constructor(connection: Connection, request: Body, events: AttemptEvents) {
    this.#connection = connection
    this.#request = request
    this.#events = events
  }

  open(): void {
    this.#connection.pause()
    this.#connection.handle(this)
    this.#events.onConnected(this.#connection, 'HTTP/1.1')
    this.#events.onResponse({ status: 200, headers: createHeaderMap(), body: this })
    if (!this.#over) this.#request.consume(this)
  }

  cancel(): void {
    this.#over = true
    this.#request.discard()
    this.#connection.destroy()
  }

  // From the endpoint to the client.

  consume(sink: BodySink): void {
    this.#sink = sink
    this.#connection.resume()
  }

  pause(): void {
    this.#connection.pause()
  }

  resume(): void {
    this.#connection.resume()
  }

  discard(): void {
    this.cancel()
  }

  onData(bytes: Uint8Array): void {
    if (this.#sink?.data(bytes) === false) this.#connection.pause()
  }

  onEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#events.onEnd()
    this.#sink?.end()
    this.#connection.end()
  }

  onDrain(): void {
    this.#request.resume()
  }

  onClose(error?: Error): void {
    if (this.#over) return
    this.#over = true
    this.#request.discard()
    this.#events.onFailure('connection_termination', error)
    this.#sink?.abort(error ?? new Error('the endpoint has closed the connection'))
  }

  // From the client to the endpoint.

  data(chunk: Uint8Array): boolean {
    return this.#connection.write(Buffer.from(chunk))
  }

  end(): void {
    this.#connection.end()
  }

  abort(): void {
    this.#connection.destroy()
  }
}
