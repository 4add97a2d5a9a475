import type { Result } from '@heddle/runtime'

/** A reference from one resource to another: a cluster to its load assignment, a listener to its route configuration or secret. */
export interface ResourceRef {
  readonly typeUrl: string
  readonly name: string
  /** `initial_fetch_timeout` of the ConfigSource that names it, where that has one. */
  readonly fetchTimeout?: string
}

/** What a server, a cache or a client must know of a resource type; nothing else looks at a type URL. */
export interface ResourceType<T> {
  readonly typeUrl: string
  /** `Cluster`, `Listener`: for people and metrics. */
  readonly shortName: string
  /** LDS and CDS: a SotW response holds all subscribed resources, and what is missing is deleted. */
  readonly fullStateInSotw: boolean
  /**
   * Clients ask for it by name as requests come (VHDS): an empty first request is answered even with nothing, and a name that is not found
   * with a resource without a body. Default false.
   */
  readonly onDemand?: boolean
  nameOf(resource: T): string
  references(resource: T): readonly ResourceRef[]
  encode(resource: T): Uint8Array
  decode(bytes: Uint8Array): Result<T>
}
