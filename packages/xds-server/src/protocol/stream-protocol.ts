import type { Diagnostic } from '@heddle/runtime'
import type { ResourceRef, VersionedResource } from '@heddle/xds-types'
import type { SnapshotView } from '../resource-view.js'

/** What the protocol must know of a resource type. */
export interface TypeRule {
  readonly typeUrl: string
  /** `Cluster`: for people and metrics. */
  readonly shortName: string
  /** LDS and CDS: a SotW response holds all subscribed resources, and what is missing from it is deleted. */
  readonly fullStateInSotw: boolean
  /** An empty first request subscribes to everything (legacy wildcard). */
  readonly wildcardWhenEmpty: boolean
  /** An empty first request is answered even with nothing, a name that is not found with a resource without a body (VHDS). */
  readonly onDemand: boolean
  references(resource: VersionedResource): readonly ResourceRef[]
}

/** The `error_detail` of a NACK. `code` is a google.rpc.Code. */
export interface ErrorDetail {
  readonly code: number
  readonly message: string
}

/** What SotW uses of a DiscoveryRequest. */
export interface SotwRequest {
  readonly typeUrl: string
  readonly versionInfo: string
  readonly responseNonce: string
  readonly resourceNames: readonly string[]
  readonly errorDetail?: ErrorDetail
}

/** What Delta uses of a DeltaDiscoveryRequest. */
export interface DeltaRequest {
  readonly typeUrl: string
  readonly responseNonce: string
  readonly subscribe: readonly string[]
  readonly unsubscribe: readonly string[]
  /** What the client has from an earlier stream: name to version. */
  readonly initialResourceVersions: ReadonlyMap<string, string>
  readonly errorDetail?: ErrorDetail
}

/** A response of either protocol, before it is bytes. */
export interface Response {
  readonly typeUrl: string
  /** SotW `version_info`, Delta `system_version_info`. */
  readonly version: string
  readonly nonce: string
  readonly resources: readonly VersionedResource[]
  /** Delta `removed_resources`; always empty in SotW. */
  readonly removed: readonly string[]
  /** Resources whose TTL begins anew: they go without their body, and nothing else goes with them. */
  readonly heartbeats?: readonly VersionedResource[]
  /** Names that stand for nothing, of a type that is asked for on demand: each goes as a resource without a body. */
  readonly unresolved?: readonly string[]
}

/** What a machine wants done or known. */
export type Effect =
  | { readonly kind: 'send'; readonly response: Response }
  /** The client accepted the response with this nonce. */
  | { readonly kind: 'ack'; readonly typeUrl: string; readonly nonce: string; readonly version: string }
  /** The client refused it and keeps what it had. */
  | {
      readonly kind: 'nack'
      readonly typeUrl: string
      readonly nonce: string
      readonly version: string
      readonly error: ErrorDetail
    }
  /** The client came with everything that it asks for, in its current version: there is nothing to send (xds-protocol 43). */
  | { readonly kind: 'current'; readonly typeUrl: string; readonly version: string }
  /** The request answered a response that is not the last one. SotW ignores such a request wholly, Delta only its ACK. */
  | { readonly kind: 'stale'; readonly typeUrl: string; readonly nonce: string }
  /** The type cannot be served from the newest snapshot; what was there before stays (xds-protocol 63). */
  | { readonly kind: 'broken'; readonly typeUrl: string; readonly diagnostics: readonly Diagnostic[] }
  /** More than may be in one response, and it cannot be split: it is not sent, the client keeps what it has (xds-protocol 62). */
  | { readonly kind: 'oversized'; readonly typeUrl: string; readonly name: string | undefined; readonly bytes: number }
  /** Clusters are gone that the client asks for by name: it is told when it has let go of them, or `onGraceOver` comes. */
  | { readonly kind: 'grace'; readonly typeUrl: string }
  /** What the client asks for has changed. */
  | { readonly kind: 'subscribed'; readonly typeUrl: string; readonly wildcard: boolean; readonly names: number }

/**
 * One stream's protocol as a pure state machine: no clock, no I/O, no bytes. SotW and Delta are the two implementations.
 * Effects come in the order in which they must happen.
 */
export interface StreamProtocol<Request> {
  onRequest(request: Request): readonly Effect[]
  onSnapshot(next: SnapshotView): readonly Effect[]
  /** It is time to tell that resources with a TTL are still what they are. */
  onHeartbeat(): readonly Effect[]
  /** The client has not answered the response with this nonce in time: newer content need not wait for it any longer. */
  onAckTimeout(typeUrl: string, nonce: string): readonly Effect[]
  /** The client has had the time to let go of what is gone: now it is told. */
  onGraceOver(typeUrl: string): readonly Effect[]
  /** These are due again with the next snapshot, though the client was sent them. */
  sendAgain(typeUrl: string, names: Iterable<string>): void
  /** Type URLs with a response that the client has not answered. Empty, and no NACK seen: the client has the last snapshot. */
  unanswered(): readonly string[]
  /** Whether there is one. */
  owesAnswers(): boolean
  /** What the client has been sent and not been told to drop, of the types and names that it subscribes to. */
  sent(): ReadonlyMap<string, readonly VersionedResource[]>
}

/** Whether a client may see a resource, or why not. */
export type Allow = (typeUrl: string, name: string) => boolean | ErrorDetail

export interface ProtocolOptions {
  /** The rule of a type; a request for a type without one never reaches the machine. */
  readonly ruleOf: (typeUrl: string) => TypeRule
  /** Unique per stream, so that a nonce of another stream never matches. */
  readonly streamId: string
  /** Which names this client may see; the others do not exist for it, or are refused with a reason when it asks for them. Default: all. */
  readonly allow?: Allow
  /** The most that the resources of one response may hold; bytes, default without end. */
  readonly maxResponseBytes?: number
  /** Whether who asks for a cluster by name is given time to let go of it. Default: false. */
  readonly removalGrace?: boolean
  /** Names that are being looked for: neither sent nor said to be missing until that has ended and a snapshot came. Default: none. */
  readonly pending?: (typeUrl: string, name: string) => boolean
}
