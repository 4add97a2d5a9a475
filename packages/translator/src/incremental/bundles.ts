import type { ResourceGroup, ResourceSet } from '@heddle/xds-types'
import { memoKey } from '../memo.js'
import { secretNamesOf } from '../secrets/references.js'
import type { Cells, Root, Signal } from './cells.js'
import type { Class, Likes, Subject } from './likes.js'

/** The groups of several parts, in their order. */
export interface Bundle {
  readonly set: ResourceSet
  /** Whether any of them refers to a secret. */
  readonly asksSecrets: boolean
}

type Parts = readonly Likes<readonly ResourceGroup[]>[]

/** One bundle for all subjects that are alike to every part: a change is put together once, not for each of them. */
export interface Bundles {
  of(parts: Parts, subject: Subject): Bundle
}

export interface BundlesOptions {
  readonly cells: Cells
  /** Of the likes of the parts. */
  readonly epoch: { readonly current: number }
  readonly asked: Signal
}

interface Kept {
  readonly classes: readonly Class<readonly ResourceGroup[]>[]
  readonly root: Root<Bundle>
  gone: boolean
}

export function createBundles({ cells, epoch, asked }: BundlesOptions): Bundles {
  const bundles = new Map<string, Kept>()
  const found = new WeakMap<Subject, { readonly epoch: number; readonly kept: Kept }>()

  const create = (key: string, classes: Kept['classes']): Kept => {
    const root = cells.root<Bundle>({
      name: 'bundle',
      make: () => bundled(classes.flatMap((one) => one.root.get())),
      same: (a, b) => sameObjects(a.set.groups, b.set.groups),
      forget() {
        made.gone = true
        if (bundles.get(key) === made) bundles.delete(key)
      },
    })
    const made: Kept = { classes, root, gone: false }
    bundles.set(key, made)
    return made
  }
  /** A new question may part whom it was found for from the others: then it is looked up again. */
  const keptOf = (parts: Parts, subject: Subject): Kept => {
    const last = found.get(subject)
    if (last !== undefined && last.epoch === epoch.current && !last.kept.gone) return last.kept
    for (;;) {
      const before = epoch.current
      const classes = parts.map((part) => part.classOf(subject))
      if (epoch.current !== before) continue
      const key = memoKey('', classes)
      const kept = bundles.get(key) ?? create(key, classes)
      found.set(subject, { epoch: before, kept })
      return kept
    }
  }
  return {
    of(parts, subject) {
      asked.read()
      for (;;) {
        const before = epoch.current
        const bundle = keptOf(parts, subject).root.get()
        if (epoch.current === before) return bundle
      }
    },
  }
}

function bundled(groups: readonly ResourceGroup[]): Bundle {
  return { set: { groups }, asksSecrets: groups.some((group) => secretNamesOf(group).length > 0) }
}

/** Groups are cells themselves: an equal one is the same. */
export function sameObjects(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}
