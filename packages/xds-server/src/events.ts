import type { Diagnostic, Logger, Unsubscribe } from '@heddle/runtime'
import type { ErrorDetail } from './protocol/stream-protocol.js'

/** What an event is about. `at`: wall-clock milliseconds. */
interface About {
  readonly at: number
  readonly streamId: string
  /** Empty until the node is known. */
  readonly nodeId: string
}

/** Everything that happens between the server and its clients. */
export type XdsEvent =
  | (About & { readonly kind: 'connected' })
  /** `message`: why the server closed it; undefined when the client did. */
  | (About & { readonly kind: 'disconnected'; readonly message: string | undefined })
  /** The server does not let the stream in, or not go on. `code`: a gRPC status code; 'disconnected' follows. */
  | (About & { readonly kind: 'refused'; readonly code: number; readonly message: string })
  | (About & { readonly kind: 'subscribed'; readonly typeUrl: string; readonly wildcard: boolean; readonly names: number })
  | (About & {
      readonly kind: 'sent'
      readonly typeUrl: string
      readonly version: string
      readonly nonce: string
      readonly resources: number
      readonly removed: number
      readonly bytes: number
    })
  | (About & { readonly kind: 'acked'; readonly typeUrl: string; readonly version: string; readonly nonce: string })
  | (About & {
      readonly kind: 'nacked'
      readonly typeUrl: string
      readonly version: string
      readonly nonce: string
      readonly error: ErrorDetail
      /** Names of what was refused: those that the text speaks of, or all of the response. */
      readonly resources: readonly string[]
    })
  /** What the client has refused is taken back for all that hold the same group; see the option `quarantine`. */
  | (About & { readonly kind: 'quarantined'; readonly typeUrl: string; readonly resources: readonly string[] })
  | (About & { readonly kind: 'stale-nonce'; readonly typeUrl: string; readonly nonce: string })
  | (About & { readonly kind: 'unknown-type'; readonly typeUrl: string })
  /** A later request named another node; the first one counts. */
  | (About & { readonly kind: 'node-changed'; readonly claimed: string })
  /** The client has answered everything that it was sent. `tookMs`: since the first change of its set that it had not answered. */
  | (About & { readonly kind: 'settled'; readonly tookMs: number })
  /** The client has not answered in time; newer content no longer waits for it. */
  | (About & { readonly kind: 'unanswered'; readonly typeUrl: string; readonly nonce: string })
  /** The parts of the node's set do not fit together; whether it is sent all the same is the server's option `consistency`. */
  | (About & { readonly kind: 'inconsistent'; readonly diagnostics: readonly Diagnostic[] })
  /**
   * More than `limits.responseBytes`, and it cannot be split: not sent, the client keeps what it has. `name`: the resource that is too large by
   * itself; undefined: all that a SotW response of listeners or clusters must list.
   */
  | (About & { readonly kind: 'oversized'; readonly typeUrl: string; readonly name: string | undefined; readonly bytes: number })
  /** Resources that cannot be encoded: the last good ones stay. */
  | (About & { readonly kind: 'broken-resources'; readonly typeUrl: string; readonly diagnostics: readonly Diagnostic[] })

export interface Events {
  /** Whether anybody listens. */
  observed(): boolean
  emit(event: XdsEvent): void
  subscribe(listener: (event: XdsEvent) => void): Unsubscribe
}

/** A listener that throws is logged and disturbs nobody. */
export function createEvents(logger: Logger): Events {
  const listeners = new Set<(event: XdsEvent) => void>()
  return {
    observed: () => listeners.size > 0,
    emit(event) {
      for (const listener of [...listeners]) {
        try {
          listener(event)
        } catch (error) {
          logger.error({ error, event: event.kind }, 'a listener of xDS events has thrown')
        }
      }
    },
    subscribe(listener) {
      const own = (event: XdsEvent): void => listener(event)
      listeners.add(own)
      return () => {
        listeners.delete(own)
      }
    },
  }
}
