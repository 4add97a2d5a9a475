/** A resource as it travels: encoded once, shared by every stream that carries it. */
export interface VersionedResource {
  readonly name: string
  /** Content hash: equal on every replica, so `initial_resource_versions` works after failover. */
  readonly version: string
  /** The resource's own bytes, without the Any around them. */
  readonly bytes: Uint8Array
  /** Other names that it answers to (`Resource.aliases`): a client that asks for one of them gets it. */
  readonly aliases?: readonly string[]
  /**
   * It cannot be had, and this is why: a google.rpc.Code and a text, for `resource_errors`. There are no `bytes` then. UNAVAILABLE, INTERNAL and
   * UNKNOWN let a client keep what it has; NOT_FOUND and PERMISSION_DENIED may make it drop that (cncf/xds TP3).
   */
  readonly error?: { readonly code: number; readonly message: string }
  /** Seconds after which a client must drop the resource unless it hears of it again (XP "TTL"); default: never. */
  readonly ttl?: number
}

/**
 * Resources that several proxies may hold in common, by type URL: messages in the shape of canonical proto JSON, or already
 * encoded {@link VersionedResource}s. A message may stand inside an `envoy.service.discovery.v3.Resource` (with its `@type`), which gives it a
 * name, aliases, a version or a TTL of its own; in the place of one may stand an `envoy.service.discovery.v3.ResourceError`. Immutable: a change is a new group, and what did not change in it keeps its identity,
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
  /**
   * What the maker calls this state: it goes out as `version_info` and `system_version_info` of what is sent of it. What is sent is decided by
   * content all the same. Default: a hash of the content.
   */
  readonly version?: string
}
