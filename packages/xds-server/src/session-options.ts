import type { Clock, Diagnostic, Logger, Watch } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import type { Admit, Authorize, PeerIdentity } from './access.js'
import type { Consistency } from './consistency.js'
import type { Events } from './events.js'
import type { Limits } from './limits.js'
import type { NodeInfo } from './node.js'
import type { Lookup } from './on-demand.js'
import type { ProtocolOptions, StreamProtocol, TypeRule } from './protocol/stream-protocol.js'
import type { PushScheduler } from './push-scheduler.js'
import type { Quarantine } from './quarantine.js'
import type { ViewResources } from './resource-view.js'
import type { StreamTransport } from './transport.js'
import type { StreamCodec } from './wire.js'

/** What all sessions of a server have in common. */
export interface SessionContext {
  readonly clock: Clock
  readonly logger: Logger
  readonly events: Events
  readonly scheduler: PushScheduler
  readonly views: ViewResources
  readonly identifier: string
  readonly ackTimeoutMs: number
  /** 0: none. */
  readonly removalGraceMs: number
  readonly limits: Limits
  readonly resources: (node: NodeInfo, identity: PeerIdentity) => Watch<ResourceSet | undefined>
  /** Undefined: no such type. */
  readonly ruleOf: (typeUrl: string) => TypeRule | undefined
  readonly wildcardWhenEmpty: ((typeUrl: string, node: NodeInfo) => boolean | undefined) | undefined
  readonly nodesWithoutId: boolean
  readonly admit: Admit
  readonly authorize: Authorize | undefined
  readonly lookup: Lookup | undefined
  readonly consistency: Consistency
  /** Undefined: what a client refuses stays. */
  readonly quarantine: Quarantine | undefined
  /** What does not fit together in a set. */
  readonly check: (set: ResourceSet) => readonly Diagnostic[]
  closed(session: object): void
}

export interface TypedRequest {
  readonly typeUrl: string
}

export interface SessionOptions<Request extends TypedRequest> {
  readonly context: SessionContext
  readonly variant: 'sotw' | 'delta'
  readonly streamId: string
  readonly identity: PeerIdentity
  readonly transport: StreamTransport
  readonly codec: StreamCodec<Request>
  readonly createProtocol: (options: ProtocolOptions) => StreamProtocol<Request>
  /** The only type of a per-type stream; undefined on an aggregated one. */
  readonly onlyType: string | undefined
}
