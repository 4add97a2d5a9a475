import type { Unsubscribe, Watch } from '@heddle/runtime'
import type { ResourceGroup, ResourceSet, VersionedResource } from '@heddle/xds-types'
import type { TypeView, ViewResources } from './resource-view.js'

/**
 * Keeps a resource that one client refuses from all that hold its group: they have the last version that a client accepted, or none if there was none,
 * until the maker of the group gives another one. What a client refuses that another has accepted stays, unless there is an older one to go back to.
 */
export interface Quarantine {
  /** `source` without what is quarantined. */
  watch(source: Watch<ResourceSet | undefined>): Watch<ResourceSet | undefined>
  /** A client that holds `set` has accepted these. */
  accepted(set: ResourceSet, typeUrl: string, resources: readonly VersionedResource[]): void
  /** It has refused these; gives the names of those that are taken back. */
  refused(set: ResourceSet, typeUrl: string, resources: readonly VersionedResource[]): readonly string[]
}

/** The versions of a name that clients have accepted last: a bad one may be accepted before it is refused. */
interface Good {
  readonly last: VersionedResource
  readonly before: VersionedResource | undefined
}

interface Bad {
  readonly version: string
  readonly instead: VersionedResource | undefined
}

/** Of one group, by type URL and name. */
interface GroupBook {
  readonly good: Map<string, Map<string, Good>>
  readonly bad: Map<string, Map<string, Bad>>
  /** The newest group with this id, and what it was made into. */
  of: ResourceGroup | undefined
  made: ResourceGroup | undefined
}

export function createQuarantine(views: ViewResources): Quarantine {
  const books = new Map<string, GroupBook>()
  const listeners = new Set<() => void>()
  const made = new WeakMap<ResourceSet, ResourceSet>()
  const viewOf = createGroupViews(views)
  const bookOf = ({ id }: ResourceGroup): GroupBook => {
    const book = books.get(id) ?? { good: new Map(), bad: new Map(), of: undefined, made: undefined }
    books.set(id, book)
    return book
  }
  const cleared = (group: ResourceGroup): ResourceGroup => {
    const book = books.get(group.id)
    if (book === undefined || book.bad.size === 0) return group
    if (book.of !== group) forgetMended(book, (typeUrl) => viewOf(group, typeUrl))
    if (book.of !== group || book.made === undefined) book.made = without(group, book.bad, (typeUrl) => viewOf(group, typeUrl))
    book.of = group
    return book.made
  }
  const apply = (set: ResourceSet): ResourceSet => {
    const groups = set.groups.map(cleared)
    if (groups.every((group, i) => group === set.groups[i])) return set
    const known = made.get(set)
    if (known !== undefined && groups.every((group, i) => group === known.groups[i])) return known
    const next = { ...set, groups }
    made.set(set, next)
    return next
  }
  return {
    watch: (source) => ({
      get current() {
        return source.current && apply(source.current)
      },
      subscribe(changed) {
        const tell = (): void => changed(source.current && apply(source.current))
        const stop: Unsubscribe = source.subscribe(tell)
        listeners.add(tell)
        return () => {
          stop()
          listeners.delete(tell)
        }
      },
    }),
    accepted(set, typeUrl, resources) {
      for (const group of set.groups) {
        const view = viewOf(group, typeUrl)
        for (const resource of resources) if (view.get(resource.name) === resource) noteGood(bookOf(group), typeUrl, resource)
      }
    },
    refused(set, typeUrl, resources) {
      const names = set.groups.flatMap((group) => {
        const view = viewOf(group, typeUrl)
        const here = resources.filter((resource) => view.get(resource.name) === resource)
        return here.length === 0 ? [] : takeBack(bookOf(group), typeUrl, here)
      })
      if (names.length > 0) for (const tell of [...listeners]) tell()
      return names
    },
  }
}

type ViewOf = (group: ResourceGroup, typeUrl: string) => TypeView

function createGroupViews(views: ViewResources): ViewOf {
  const alone = new WeakMap<ResourceGroup, ResourceSet>()
  return (group, typeUrl) => {
    const set = alone.get(group) ?? { groups: [group] }
    alone.set(group, set)
    return views(set).type(typeUrl)
  }
}

function noteGood({ good }: GroupBook, typeUrl: string, resource: VersionedResource): void {
  const byName = good.get(typeUrl) ?? new Map<string, Good>()
  good.set(typeUrl, byName)
  const last = byName.get(resource.name)?.last
  if (last?.version !== resource.version) byName.set(resource.name, { last: resource, before: last })
}

function takeBack(book: GroupBook, typeUrl: string, resources: readonly VersionedResource[]): string[] {
  const bad = book.bad.get(typeUrl) ?? new Map<string, Bad>()
  const taken = resources.filter(({ name, version }) => {
    const known = book.good.get(typeUrl)?.get(name)
    const instead = known?.last.version === version ? known.before : known?.last
    // Somebody lives with it, and there is nothing else to give them.
    if (known !== undefined && instead === undefined) return false
    bad.set(name, { version, instead })
    if (instead !== undefined) book.good.get(typeUrl)?.set(name, { last: instead, before: undefined })
    return true
  })
  if (bad.size > 0) book.bad.set(typeUrl, bad)
  book.made = undefined
  return taken.map(({ name }) => name)
}

/** A name that has another version now, or is gone, is what its maker wants again. */
function forgetMended({ bad, good }: GroupBook, viewOf: (typeUrl: string) => TypeView): void {
  for (const [typeUrl, byName] of bad) {
    const view = viewOf(typeUrl)
    for (const [name, { version }] of byName) if (view.get(name)?.version !== version) byName.delete(name)
    if (byName.size === 0) bad.delete(typeUrl)
    for (const name of good.get(typeUrl)?.keys() ?? []) if (view.get(name) === undefined) good.get(typeUrl)?.delete(name)
  }
}

function without(
  group: ResourceGroup,
  bad: ReadonlyMap<string, ReadonlyMap<string, Bad>>,
  viewOf: (typeUrl: string) => TypeView,
): ResourceGroup {
  if (bad.size === 0) return group
  const resources = new Map(group.resources)
  for (const [typeUrl, byName] of bad) {
    const kept = [...viewOf(typeUrl).resources()].flatMap((resource) => {
      const found = byName.get(resource.name)
      return found === undefined ? resource : (found.instead ?? [])
    })
    resources.set(typeUrl, kept)
  }
  return { ...group, resources }
}
