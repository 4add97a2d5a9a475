/** A resource as it travels: encoded once, shared by every stream that carries it. */
export interface VersionedResource {
  readonly name: string
  /** Content hash: equal on every replica, so `initial_resource_versions` works after failover. */
  readonly version: string
  /** The resource's own bytes, without the Any around them. */
  readonly bytes: Uint8Array
  /** Seconds after which a client must drop the resource unless it hears of it again (XP "TTL"); default: never. */
  readonly ttl?: number
}

/**
 * Resources that several proxies may hold in common, by type URL: messages in the shape of canonical proto JSON, or already
 * encoded {@link VersionedResource}s. Immutable: a change is a new group, and what did not change in it keeps its identity,
 * so a diff is made once per pair of groups and an encoding once per object.
 */
export interface ResourceGroup {
  /** For people: `outbound nolen`, `inbound apps-v1.nolen`. */
  readonly id: string
  readonly resources: ReadonlyMap<string, readonly object[]>
}

/** Everything one proxy gets: a list of shared parts, in which no (type, name) stands twice. */
export interface ResourceSet {
  readonly groups: readonly ResourceGroup[]
}
