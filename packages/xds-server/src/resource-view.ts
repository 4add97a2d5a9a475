import { contentHash, type Diagnostic, ok, type Result } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet, VersionedResource } from '@heddle/xds-types'
import type { ErrorDetail } from './protocol/stream-protocol.js'

/** The resources of one type in one group, by name. Made once per group, so its identity says that nothing in it changed. */
export interface GroupIndex {
  readonly byName: ReadonlyMap<string, VersionedResource>
  /** What answers to another name than its own; undefined when nothing does. */
  readonly byAlias?: ReadonlyMap<string, VersionedResource>
  /** Order-free sums over (name, version): two groups' sums add up to the sum of both. */
  readonly sums: readonly [number, number]
  /** Why the group's resources of this type cannot be served; empty when they can. */
  readonly diagnostics: readonly Diagnostic[]
}

/** All resources of one type that one node may get, over shared groups. */
export interface TypeView {
  /** What goes out as the version: `content`, or what the maker of the set calls it. */
  readonly version: string
  /** A hash of all names and versions: equal content is an equal hash, on every replica and however it is grouped. */
  readonly content: string
  readonly size: number
  readonly groups: readonly GroupIndex[]
  /** Not empty: something could not be encoded. The view must not be served; the last good one stays (xds-protocol 63). */
  readonly diagnostics: readonly Diagnostic[]
  /** Made for one client: what is worked out of it serves no other. */
  readonly restricted?: true
  /** By name, or by alias where nothing has the name. */
  get(name: string): VersionedResource | undefined
  resources(): Iterable<VersionedResource>
}

/** One node's resources of all types, as the protocol machines read them. */
export interface SnapshotView {
  type(typeUrl: string): TypeView
}

/** Encodes one resource that is not encoded yet; the same object gives the same bytes, not equal ones. */
export type EncodeResource = (typeUrl: string, resource: object) => Result<VersionedResource>

/** From resource sets to views; the same set gives the same view, the same group the same index. */
export type ViewResources = (set: ResourceSet) => SnapshotView

export const EMPTY_VIEW: TypeView = viewOf([])

export function createViews(encode: EncodeResource): ViewResources {
  const snapshots = new WeakMap<ResourceSet, SnapshotView>()
  const indexes = new WeakMap<ResourceGroup, Map<string, GroupIndex>>()

  const toVersioned = (typeUrl: string, entry: object): Result<VersionedResource> =>
    isVersioned(entry) ? ok(entry) : encode(typeUrl, entry)
  const indexOf = (group: ResourceGroup, typeUrl: string): GroupIndex | undefined => {
    const entries = group.resources.get(typeUrl)
    if (entries === undefined || entries.length === 0) return undefined
    let byType = indexes.get(group)
    if (byType === undefined) indexes.set(group, (byType = new Map()))
    let index = byType.get(typeUrl)
    if (index === undefined) byType.set(typeUrl, (index = buildIndex(entries, (entry) => toVersioned(typeUrl, entry))))
    return index
  }

  return (set) => {
    let snapshot = snapshots.get(set)
    if (snapshot === undefined) {
      const views = new Map<string, TypeView>()
      snapshot = {
        type(typeUrl) {
          let view = views.get(typeUrl)
          if (view === undefined) {
            const groups = set.groups.map((group) => indexOf(group, typeUrl)).filter((index) => index !== undefined)
            views.set(typeUrl, (view = viewOf(groups, set.version)))
          }
          return view
        },
      }
      snapshots.set(set, snapshot)
    }
    return snapshot
  }
}

/**
 * The part of a view that `allow` lets through; what it does not let through does not exist. A reason that it gives is what a client is told
 * that asks for the name (`asked`), whether or not there is such a resource.
 */
export function restrictView(
  view: TypeView,
  allow: (name: string) => boolean | ErrorDetail,
  asked: (name: string) => boolean = () => true,
): TypeView {
  const { version, content, size, groups, diagnostics } = view
  return {
    ...{ version, content, size, groups, diagnostics, restricted: true },
    get(name) {
      const verdict = allow(name)
      if (verdict === false || (verdict !== true && !asked(name))) return undefined
      if (verdict !== true) return erroneous(name, verdict)
      const resource = view.get(name)
      // Asked for by an alias: it must be allowed under its own name too.
      return resource === undefined || resource.name === name || allow(resource.name) === true ? resource : undefined
    },
    *resources() {
      for (const resource of view.resources()) if (allow(resource.name) === true) yield resource
    },
  }
}

/** What stands for a resource that cannot be had. */
export function erroneous(name: string, { code, message }: ErrorDetail): VersionedResource {
  return { name, version: contentHash(`${code} ${message}`), bytes: new Uint8Array(0), error: { code, message } }
}

function buildIndex(entries: readonly object[], toVersioned: (entry: object) => Result<VersionedResource>): GroupIndex {
  const byName = new Map<string, VersionedResource>()
  const byAlias = new Map<string, VersionedResource>()
  const diagnostics: Diagnostic[] = []
  let high = 0
  let low = 0
  for (const entry of entries) {
    const result = toVersioned(entry)
    if (!result.ok) {
      diagnostics.push(...result.diagnostics)
      continue
    }
    const resource = result.value
    // The first of a name wins: a response must not hold a name twice (xds-protocol 55).
    if (byName.has(resource.name)) continue
    byName.set(resource.name, resource)
    for (const alias of resource.aliases ?? []) if (!byAlias.has(alias)) byAlias.set(alias, resource)
    const [a, b] = hashOf(`${resource.name}\u0000${resource.version}`)
    high = (high + a) >>> 0
    low = (low + b) >>> 0
  }
  return { byName, ...(byAlias.size === 0 ? {} : { byAlias }), sums: [high, low], diagnostics }
}

function viewOf(groups: readonly GroupIndex[], version?: string): TypeView {
  let high = 0
  let low = 0
  let size = 0
  const diagnostics: Diagnostic[] = []
  for (const group of groups) {
    high = (high + group.sums[0]) >>> 0
    low = (low + group.sums[1]) >>> 0
    size += group.byName.size
    diagnostics.push(...group.diagnostics)
  }
  const content = hex(high) + hex(low)
  const aliases = groups.flatMap(({ byAlias }) => byAlias ?? [])
  return {
    version: version ?? content,
    content,
    size,
    groups,
    diagnostics,
    get(name) {
      for (const group of groups) {
        const resource = group.byName.get(name)
        if (resource !== undefined) return resource
      }
      for (const byAlias of aliases) {
        const resource = byAlias.get(name)
        if (resource !== undefined) return resource
      }
      return undefined
    },
    *resources() {
      // The first group that has a name wins here as in `get`.
      for (const group of groups)
        for (const resource of group.byName.values()) if (this.get(resource.name) === resource) yield resource
    },
  }
}

function isVersioned(entry: object): entry is VersionedResource {
  return 'bytes' in entry && entry.bytes instanceof Uint8Array && 'version' in entry && 'name' in entry
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}

/** The halves of 64 bits of a string's content hash. */
function hashOf(text: string): [number, number] {
  const hash = contentHash(text)
  return [Number.parseInt(hash.slice(0, 8), 16), Number.parseInt(hash.slice(8, 16), 16)]
}
