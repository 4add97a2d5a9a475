import { type Clock, createBackoff, type Logger, type Random, type Result, type Unsubscribe } from '@heddle/runtime'
import { describe } from './nack.js'
import type { ProtocolClient, ReceivedUpdate, Rejection } from './protocol.js'
import { createServerChoice } from './server-choice.js'
import type { XdsStream, XdsTransport } from './transport.js'

/** How one variant's messages become bytes. `first`: the request opens a stream and names the node. */
export interface XdsCodec<Request, Response> {
  encode(request: Request, first: boolean): Uint8Array
  decode(bytes: Uint8Array): Result<Response>
}

/** Takes an update into force: what it resolves with is refused in the answer, everything else is acknowledged. */
export type ApplyUpdate = (update: ReceivedUpdate) => readonly Rejection[] | Promise<readonly Rejection[]>

export interface XdsClientOptions<Request, Response> {
  /** In order of preference, one at least: the next is asked only when those before cannot be reached and something is missing. */
  transports: readonly XdsTransport[]
  protocol: ProtocolClient<Request, Response>
  codec: XdsCodec<Request, Response>
  /** A request that every server answers: how one that could not be reached is asked whether it is back. */
  probe: Request
  apply: ApplyUpdate
  clock: Clock
  random: Random
  logger: Logger
  /** Told with every change. */
  onStatus?(status: XdsStatus): void
}

export interface XdsStatus {
  readonly connected: boolean
  /** Identifier that the server gave itself in its last response. */
  readonly controlPlane: string
  readonly updates: number
  readonly rejected: number
  /** Streams that were opened. */
  readonly streams: number
  readonly lastError: string
}

/** Keeps a stream to a management server alive and everything received in force while it is away. */
export interface XdsClient {
  start(): void
  subscribeAll(typeUrl: string): void
  /** See {@link ProtocolClient.begin}. */
  begin(typeUrl: string): void
  subscribe(typeUrl: string, add: readonly string[], drop: readonly string[]): void
  /** Applies what was received in an earlier life; a stream that opens later tells the server of it. Not once a response has come. */
  restore(updates: readonly ReceivedUpdate[]): void
  readonly status: XdsStatus
  close(): void
}

/**
 * One aggregated stream. A stream that ends before its first response is followed by another after a back-off with jitter
 * (500 ms doubling to 30 s); one that had brought something is followed at once (gRFC A57).
 */
export function createXdsClient<Request, Response>(options: XdsClientOptions<Request, Response>): XdsClient {
  const { protocol, codec, clock, random, logger } = options
  const backoff = createBackoff({ clock, random })
  const servers = createServerChoice({
    ...{ servers: options.transports, method: protocol.method, probe: codec.encode(options.probe, true) },
    ...{ clock, random, logger },
    onBetter: () => comeBack(),
  })
  let stream: XdsStream | undefined
  let first = true
  let retry: Unsubscribe | undefined
  let closed = false
  // Updates are applied one after another, though applying may wait (for a socket to bind).
  let queue: Promise<void> = Promise.resolve()
  let status: XdsStatus = { connected: false, controlPlane: '', updates: 0, rejected: 0, streams: 0, lastError: '' }

  const report = (change: Partial<XdsStatus>): void => {
    status = { ...status, ...change }
    options.onStatus?.(status)
  }

  const send = (requests: readonly Request[]): void => {
    for (const request of requests) {
      if (stream === undefined) return
      stream.send(codec.encode(request, first))
      first = false
    }
  }

  const onResponse = async (own: XdsStream, bytes: Uint8Array): Promise<void> => {
    if (own !== stream) return
    const response = codec.decode(bytes)
    if (!response.ok) throw new Error(describe(response.diagnostics))
    const update = protocol.receive(response.value)
    if (update === undefined) return
    const rejections = await options.apply(update)
    for (const { name, message } of rejections) {
      logger.warn({ typeUrl: update.typeUrl, resource: name, version: update.version, reason: message }, 'xds: resource refused')
    }
    report({ controlPlane: update.controlPlane, updates: status.updates + 1, rejected: status.rejected + rejections.length })
    // The stream may have gone meanwhile: what was applied counts for the next one, the answer has nobody to hear it.
    const answer = protocol.acknowledge(update, rejections)
    if (own === stream) send(answer)
  }

  const connect = (): void => {
    retry = undefined
    let responses = 0
    first = true
    const { target } = servers.current
    const own: XdsStream = servers.current.open(protocol.method, {
      onMessage(bytes) {
        if (responses++ === 0) {
          backoff.reset()
          report({ connected: true, lastError: '' })
        }
        queue = queue
          .then(() => onResponse(own, bytes))
          .catch((error: unknown) => {
            logger.error({ target, error: String(error) }, 'xds: a response could not be handled')
            own.close()
          })
      },
      onClose(reason) {
        if (own !== stream) return
        stream = undefined
        protocol.close()
        report({ connected: false, lastError: reason })
        if (closed) return
        logger.warn({ target, reason, responses }, 'xds: stream ended; the last configuration stays in force')
        const again = responses > 0 || servers.failed(protocol.lacks())
        retry = again ? clock.after(0, connect) : backoff.retry(connect)
      },
    })
    stream = own
    report({ streams: status.streams + 1 })
    send(protocol.open())
  }

  /** Leaves the server that stood in, for the one that comes first. */
  const comeBack = (): void => {
    retry?.()
    const left = stream
    stream = undefined
    protocol.close()
    left?.close()
    connect()
  }

  const restore = async (update: ReceivedUpdate): Promise<void> => {
    if (status.updates > 0) return
    const rejections = await options.apply(update)
    for (const { name, message } of rejections)
      logger.warn({ resource: name, reason: message }, 'xds: a kept resource is refused')
    // Nobody hears the answer: it is how the protocol learns what is there.
    if (stream === undefined || !status.connected) protocol.acknowledge(update, rejections)
  }

  return {
    start: connect,
    restore(updates) {
      for (const update of updates) queue = queue.then(() => restore(update))
    },
    subscribeAll: (typeUrl) => send(protocol.subscribeAll(typeUrl)),
    begin: (typeUrl) => send(protocol.begin(typeUrl)),
    subscribe: (typeUrl, add, drop) => send(protocol.subscribe(typeUrl, add, drop)),
    get status() {
      return status
    },
    close() {
      closed = true
      retry?.()
      stream?.close()
      servers.close()
    },
  }
}
