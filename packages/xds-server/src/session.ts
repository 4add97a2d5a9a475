import type { VersionedResource } from '@heddle/xds-types'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import type { PeerIdentity } from './access.js'
import { createExchange, type Ending, type Exchange } from './exchange.js'
import type { SessionOptions, TypedRequest } from './session-options.js'
import type { StreamStatus } from './status.js'
import { createStreamRecord } from './stream-record.js'
import { type CloseStatus, STATUS, type StreamHandler } from './transport.js'
import { admitNode, typeOfRequest } from './validate.js'

/** One stream: bytes in, the protocol machine, bytes out; everything around the machine that is not pure. */
export interface Session extends StreamHandler {
  readonly streamId: string
  readonly identity: PeerIdentity
  status(): StreamStatus
  /** The part that begins with the first request; undefined until then. */
  exchange(): Pick<Exchange<never>, 'node' | 'progress'> | undefined
  /** What the client has been sent, by type URL. */
  sent(): ReadonlyMap<string, readonly VersionedResource[]>
  close(status: CloseStatus): void
  /** Closes the stream, and tells whoever watches why it was not let in, or not left open. */
  refuse(status: CloseStatus): void
}

export function createSession<Request extends TypedRequest>(options: SessionOptions<Request>): Session {
  const { context, transport, codec, identity, streamId, onlyType } = options
  let exchange: Exchange<Request> | undefined
  let ended = false
  const record = createStreamRecord(context.clock, context.events, streamId, () => exchange?.node.id ?? '')

  const end = (message: string | undefined): void => {
    if (ended) return
    ended = true
    exchange?.stop()
    context.closed(session)
    record.emit({ kind: 'disconnected', message })
  }
  const close = (status: CloseStatus): void => {
    if (ended) return
    end(status.message)
    transport.close(status)
  }
  const refuse = (status: CloseStatus): void => {
    context.logger.warn({ streamId, peer: transport.peer, node: exchange?.node.id }, `xDS stream refused: ${status.message}`)
    record.emit({ kind: 'refused', code: status.code, message: status.message })
    close(status)
  }
  /** What the user of the server gave it may throw: that ends this stream, not the process and not the others. */
  const failed = (error: unknown): void => {
    context.logger.error({ error, streamId, node: exchange?.node.id }, 'an xDS stream has failed')
    close({ code: STATUS.internal, message: 'internal error; the log of the xDS server tells more' })
  }
  const guard: Ending['guard'] = (run) => {
    try {
      run()
    } catch (error) {
      failed(error)
    }
  }
  /** The first request says who the client is; the stream stays with that. */
  const introduce = (claimed: Node | undefined): void => {
    const verdict = admitNode(claimed, identity, context)
    if (!verdict.ok) {
      refuse(verdict.status)
      return
    }
    exchange = createExchange(options, verdict.value, record, { guard, refuse })
    record.emit({ kind: 'connected' })
    exchange.target.push()
  }
  const serve = (request: Request): void => {
    const verdict = typeOfRequest(request.typeUrl, onlyType)
    if (!verdict.ok) refuse(verdict.status)
    // Other types of the stream must go on (xds-protocol 6).
    else if (context.ruleOf(verdict.value) === undefined) record.emit({ kind: 'unknown-type', typeUrl: verdict.value })
    else exchange?.onRequest(codec.forType(request, verdict.value))
  }
  const read = (bytes: Uint8Array): void => {
    const incoming = codec.read(bytes)
    if (!incoming.ok) {
      const reason = incoming.diagnostics[0]?.message ?? 'malformed'
      refuse({ code: STATUS.invalidArgument, message: `not a discovery request: ${reason}` })
      return
    }
    const { node: claimed, request } = incoming.value
    if (exchange === undefined) introduce(claimed)
    else if (claimed?.id !== undefined && claimed.id !== '' && claimed.id !== exchange.node.id) {
      record.emit({ kind: 'node-changed', claimed: claimed.id })
    }
    if (!ended) serve(request)
  }

  const connectedAt = context.clock.now()
  const session: Session = {
    streamId,
    identity,
    status() {
      const node = exchange?.node
      const { variant } = options
      return { streamId, variant, peer: transport.peer, identity, connectedAt, types: record.types(), node, nodeId: node?.id }
    },
    exchange: () => exchange,
    sent: () => exchange?.sent() ?? new Map(),
    close,
    refuse,
    onMessage(bytes) {
      if (ended) return
      try {
        read(bytes)
      } catch (error) {
        failed(error)
      }
    },
    onDrain: () => exchange?.onDrain(),
    onEnd: () => end(undefined),
  }
  return session
}
