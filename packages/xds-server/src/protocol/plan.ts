import type { VersionedResource } from '@heddle/xds-types'
import { diffViews } from '../resource-diff.js'
import type { TypeView } from '../resource-view.js'

/** What would bring a client to a view. */
export interface Plan {
  readonly changed: ReadonlyMap<string, VersionedResource>
  /** The values of `changed`. */
  readonly resources: readonly VersionedResource[]
  readonly removed: ReadonlySet<string>
  /** Of these, the names that the client asked for: they are answered at once. */
  readonly requested: ReadonlySet<string>
}

export const NO_PLAN: Plan = { changed: new Map(), resources: [], removed: new Set(), requested: new Set() }

const plans = new WeakMap<TypeView, WeakMap<TypeView, Plan>>()

/** What leads from one view to the other whoever asks for all of it: made once for all clients that go that way. */
export function planBetween(from: TypeView, to: TypeView): Plan {
  if (from === to || from.content === to.content) return NO_PLAN
  if (from.restricted === true || to.restricted === true) return makePlan(from, to)
  let row = plans.get(from)
  if (row === undefined) plans.set(from, (row = new WeakMap()))
  let plan = row.get(to)
  if (plan === undefined) row.set(to, (plan = makePlan(from, to)))
  return plan
}

function makePlan(from: TypeView, to: TypeView): Plan {
  const diff = diffViews(from, to)
  const changed = new Map<string, VersionedResource>()
  for (const name of diff.changed) {
    const resource = to.get(name)
    if (resource !== undefined) changed.set(resource.name, resource)
  }
  const removed = new Set(diff.removed)
  for (const name of diff.changed) if (to.get(name) === undefined) removed.add(name)
  return { changed, resources: [...changed.values()], removed, requested: NO_PLAN.requested }
}
