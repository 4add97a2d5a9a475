import { contentHash, createWatch, type Watch } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet } from '@heddle/xds-types'

/** What changes in a {@link LinearCache} at once: one push, however much it is. */
export interface LinearUpdate {
  /** Name to resource: a message in the shape of canonical proto JSON, or a `VersionedResource`. */
  readonly set?: Iterable<readonly [string, object]>
  readonly delete?: Iterable<string>
}

/**
 * Resources of one type, the same for every node: endpoints of a registry, secrets of a vault. A change costs what it touches, not what
 * the cache holds: the resources are spread over groups by name, and only the groups with a change are made anew (xds-protocol 72).
 */
export interface LinearCache {
  readonly typeUrl: string
  readonly size: number
  /** Before the first update clients wait. */
  update(changes: LinearUpdate): void
  set(name: string, resource: object): void
  delete(name: string): void
  get(name: string): object | undefined
  names(): Iterable<string>
  /** Give it to `createXdsServer` as `resources: () => cache.watch`, or to a mux. */
  readonly watch: Watch<ResourceSet | undefined>
}

// 10,000 resources stand 156 to a group; a look-up asks at most this many groups.
const GROUPS = 64

export function createLinearCache(typeUrl: string): LinearCache {
  const buckets = Array.from({ length: GROUPS }, () => new Map<string, object>())
  const groups: (ResourceGroup | undefined)[] = new Array<undefined>(GROUPS).fill(undefined)
  const watch = createWatch<ResourceSet | undefined>(undefined)
  const indexOf = (name: string): number => Number.parseInt(contentHash(name).slice(0, 8), 16) % GROUPS
  const bucketOf = (name: string): Map<string, object> => buckets[indexOf(name)] ?? new Map()

  const cache: LinearCache = {
    typeUrl,
    watch,
    get size() {
      return buckets.reduce((sum, bucket) => sum + bucket.size, 0)
    },
    update(changes) {
      const touched = new Set<number>()
      const change = (name: string, apply: (bucket: Map<string, object>) => boolean): void => {
        const index = indexOf(name)
        if (apply(buckets[index] ?? new Map())) touched.add(index)
      }
      for (const name of changes.delete ?? []) change(name, (bucket) => bucket.delete(name))
      for (const [name, resource] of changes.set ?? []) {
        change(name, (bucket) => bucket.get(name) !== resource && bucket.set(name, resource) !== undefined)
      }
      if (touched.size === 0 && watch.current !== undefined) return
      for (const index of touched) groups[index] = groupOf(typeUrl, index, buckets[index] ?? new Map())
      watch.set({ groups: groups.filter((group) => group !== undefined) })
    },
    set: (name, resource) => cache.update({ set: [[name, resource]] }),
    delete: (name) => cache.update({ delete: [name] }),
    get: (name) => bucketOf(name).get(name),
    *names() {
      for (const bucket of buckets) yield* bucket.keys()
    },
  }
  return cache
}

function groupOf(typeUrl: string, index: number, bucket: ReadonlyMap<string, object>): ResourceGroup | undefined {
  if (bucket.size === 0) return undefined
  return { id: `${typeUrl.slice(typeUrl.lastIndexOf('.') + 1)} ${index}`, resources: new Map([[typeUrl, [...bucket.values()]]]) }
}
