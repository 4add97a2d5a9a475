import type { ResourceSet, VersionedResource } from '@heddle/xds-types'
import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import { createExchange, type Exchange, type Guard } from './exchange.js'
import type { NodeInfo } from './node.js'
import type { SessionOptions, TypedRequest } from './session-options.js'
import type { StreamStatus } from './status.js'
import { createStreamRecord } from './stream-record.js'
import { type CloseStatus, STATUS, type StreamHandler } from './transport.js'

/** One stream: bytes in, the protocol machine, bytes out; everything around the machine that is not pure. */
export interface Session extends StreamHandler {
  readonly status: StreamStatus
  readonly node: NodeInfo | undefined
  /** What the node should have now. */
  readonly current: ResourceSet | undefined
  /** Counts the changes of what the node should have. */
  readonly wanted: number
  /** Of these, the last for which the client has answered everything it was sent. */
  readonly settled: number
  /** What the client has been sent, by type URL. */
  sent(): ReadonlyMap<string, readonly VersionedResource[]>
  close(status: CloseStatus): void
}

export function createSession<Request extends TypedRequest>(options: SessionOptions<Request>): Session {
  const { context, transport, codec, identity, onlyType } = options
  let exchange: Exchange<Request> | undefined
  let ended = false
  const record = createStreamRecord(context.clock, context.events, options.streamId, () => exchange?.node.id ?? '')

  const end = (message: string | undefined): void => {
    if (ended) return
    ended = true
    exchange?.stop()
    context.closed(session)
    record.emit({ kind: 'disconnected', message })
  }
  /** What the user of the server gave it may throw: that ends this stream, not the process and not the others. */
  const guard: Guard = (run) => {
    try {
      run()
    } catch (error) {
      context.logger.error({ error, streamId: options.streamId, node: exchange?.node.id }, 'an xDS stream has failed')
      close({ code: STATUS.internal, message: 'internal error; the log of the xDS server tells more' })
    }
  }
  const close = (status: CloseStatus): void => {
    if (ended) return
    end(status.message)
    transport.close(status)
  }
  const refuse = (code: number, message: string): void => {
    context.logger.warn(
      { streamId: options.streamId, peer: transport.peer, node: exchange?.node.id },
      `xDS stream refused: ${message}`,
    )
    close({ code, message })
  }
  /** The first request says who the client is; the stream stays with that. */
  const introduce = (claimed: Node | undefined): void => {
    if (claimed?.id === undefined || claimed.id === '') {
      refuse(STATUS.invalidArgument, 'the first request of a stream must carry a node with an id')
      return
    }
    const node: NodeInfo = { ...claimed, id: claimed.id }
    const admitted = context.admit(node, identity)
    if (!admitted.ok) {
      refuse(STATUS.permissionDenied, admitted.diagnostics.map((diagnostic) => diagnostic.message).join('; '))
      return
    }
    exchange = createExchange(options, node, record, guard)
    record.emit({ kind: 'connected' })
    exchange.target.push()
  }
  const accepts = (typeUrl: string): boolean => {
    if (typeUrl === '') {
      refuse(STATUS.invalidArgument, 'type_url is missing: an aggregated stream needs it in every request')
    } else if (onlyType !== undefined && typeUrl !== onlyType) {
      refuse(
        STATUS.invalidArgument,
        `this stream serves ${onlyType}, not ${typeUrl}; use the aggregated service for several types`,
      )
    } else if (context.ruleOf(typeUrl) === undefined) {
      // Other types of the stream must go on (xds-protocol 6).
      record.emit({ kind: 'unknown-type', typeUrl })
    } else return true
    return false
  }

  const session: Session = {
    status: {
      streamId: options.streamId,
      variant: options.variant,
      peer: transport.peer,
      identity,
      connectedAt: context.clock.now(),
      get nodeId() {
        return exchange?.node.id
      },
      types: record.types,
    },
    get node() {
      return exchange?.node
    },
    get current() {
      return exchange?.current
    },
    get wanted() {
      return exchange?.wanted ?? 0
    },
    get settled() {
      return exchange?.settled ?? 0
    },
    sent: () => exchange?.sent() ?? new Map(),
    close,
    onMessage: (bytes) => guard(() => read(bytes)),
    onDrain: () => exchange?.onDrain(),
    onEnd: () => end(undefined),
  }
  const read = (bytes: Uint8Array): void => {
    if (ended) return
    const incoming = codec.read(bytes)
    if (!incoming.ok) {
      refuse(STATUS.invalidArgument, `not a discovery request: ${incoming.diagnostics[0]?.message ?? 'malformed'}`)
      return
    }
    const { node: claimed, request } = incoming.value
    if (exchange === undefined) introduce(claimed)
    else if (claimed?.id !== undefined && claimed.id !== '' && claimed.id !== exchange.node.id) {
      record.emit({ kind: 'node-changed', claimed: claimed.id })
    }
    if (ended) return
    const typed = request.typeUrl === '' && onlyType !== undefined ? { ...request, typeUrl: onlyType } : request
    if (accepts(typed.typeUrl)) exchange?.onRequest(typed)
  }
  return session
}
