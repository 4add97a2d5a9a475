import type { VersionedResource } from '@heddle/xds-types'
import { collectionOf, isCollection } from '../resource-name.js'
import { EMPTY_VIEW, type TypeView } from '../resource-view.js'
import { type Plan, planBetween } from './plan.js'

/** A resource that the client has. Without `resource` only its version is known (`initial_resource_versions`). */
export interface KnownResource {
  readonly version: string
  readonly resource?: VersionedResource
}

/**
 * What one client has of one type: the view that was last sent, shared with all other clients, and a small overlay of what is
 * different for this one (known from an earlier stream, sent ahead of the rest, or still to be removed).
 */
export interface ClientKnowledge {
  get(name: string): KnownResource | undefined
  /** Whether it has all of `view` and asks for nothing. */
  has(view: TypeView): boolean
  /** What it has; without what it brought along from an earlier stream. */
  resources(): Iterable<VersionedResource>
  /** The client asks for `names` anew, or what refers to them was sent anew: they are due whatever it has. */
  request(names: Iterable<string>): void
  /** The same for everything that it subscribes to. */
  requestAll(): void
  /** The client has nothing, except `has`. */
  reset(has: Iterable<readonly [string, string]>): void
  plan(view: TypeView, covers: (name: string) => boolean): Plan
  /** The client now has `view`, except the names in `left`, which it still has (or lacks) as before: only of these some are still requested. */
  commit(view: TypeView, left: ReadonlySet<string>): void
}

function membersOf(view: TypeView, collection: string): readonly string[] {
  return [...view.resources()].map(({ name }) => name).filter((name) => collectionOf(name) === collection)
}

const NO_NAMES: ReadonlyMap<string, never> = new Map<string, never>()

/** `pending`: names that are being looked for; nothing is said of them until that has ended. */
export function createClientKnowledge(pending: (name: string) => boolean = () => false): ClientKnowledge {
  let sent = EMPTY_VIEW
  // null: the client lacks the name although `sent` has it. Both are empty most of the time, and a server has thousands of these.
  let overlay: ReadonlyMap<string, KnownResource | null> = NO_NAMES
  let requested: Set<string> | undefined
  let all = false

  const get = (name: string): KnownResource | undefined => {
    const own = overlay.get(name)
    if (own !== undefined) return own ?? undefined
    const resource = sent.get(name)
    return resource === undefined ? undefined : { version: resource.version, resource }
  }
  const stillKnown = (left: ReadonlySet<string>, view: TypeView): Map<string, KnownResource | null> => {
    const next = new Map<string, KnownResource | null>()
    for (const name of left) {
      const known = get(name)
      if (known !== undefined) next.set(name, known)
      else if (view.get(name) !== undefined) next.set(name, null)
    }
    return next
  }
  const isPlain = (): boolean => overlay.size === 0 && requested === undefined && !all
  /** The client asks for all of a plan. */
  const isWhole = (plan: Plan, covers: (name: string) => boolean): boolean => {
    for (const name of plan.changed.keys()) if (!covers(name)) return false
    for (const name of plan.removed) if (!covers(name) || pending(name)) return false
    return true
  }
  return {
    get,
    has: (view) => view === sent && isPlain(),
    *resources() {
      for (const resource of sent.resources()) if (!overlay.has(resource.name)) yield resource
      for (const known of overlay.values()) if (known?.resource !== undefined) yield known.resource
    },
    request(names) {
      for (const name of names) (requested ??= new Set()).add(name)
    },
    requestAll() {
      all = true
    },
    reset(has) {
      sent = EMPTY_VIEW
      overlay = new Map([...has].map(([name, version]) => [name, { version }]))
    },
    plan(view, covers) {
      const whole = planBetween(sent, view)
      if (isPlain() && isWhole(whole, covers)) return whole
      const changed = new Map<string, VersionedResource>()
      const removed = new Set<string>()
      const asked = new Set<string>()
      const due = (name: string): void => {
        const resource = view.get(name)
        if (resource !== undefined) changed.set(resource.name, resource)
        else if (!pending(name)) removed.add(name)
      }
      // A client asks by name, by alias, or for all that is in a folder.
      const ask = (name: string): void => {
        const found = isCollection(name) ? membersOf(view, name) : []
        for (const member of found.length > 0 ? found : [name]) {
          asked.add(view.get(member)?.name ?? member)
          due(member)
        }
      }
      for (const name of whole.changed.keys()) if (!overlay.has(name) && covers(name)) due(name)
      for (const name of whole.removed) if (!overlay.has(name) && covers(name)) due(name)
      for (const [name, known] of overlay) {
        if (covers(name) && view.get(name)?.version !== known?.version) due(name)
      }
      if (all) for (const { name } of view.resources()) (requested ??= new Set()).add(name)
      for (const name of requested ?? []) if (covers(name) || covers(view.get(name)?.name ?? name)) ask(name)
      return { changed, resources: [...changed.values()], removed, requested: asked }
    },
    commit(view, left) {
      if (left.size === 0 && requested === undefined) {
        sent = view
        overlay = NO_NAMES
        all = false
        return
      }
      const owed = (name: string): boolean => {
        const resource = view.get(name)
        return resource === undefined ? pending(name) || left.has(name) : left.has(resource.name)
      }
      overlay = left.size === 0 ? NO_NAMES : stillKnown(left, view)
      sent = view
      const open = requested === undefined ? [] : [...requested].filter(owed)
      requested = open.length === 0 ? undefined : new Set(open)
      all = false
    },
  }
}
