import { createWatch, type Diagnostic, type Unsubscribe, type Watch } from '@heddle/runtime'
import type { AnyResource } from '../kinds/index.js'
import { keyOf, type ResourceKey } from '../resource.js'
import type { Batch, Store } from '../store.js'

/** Somebody who knows services: an adapter tells what it finds as resources, and the catalogue merges them with all others by host. */
export interface Registry {
  /** In messages: `Consul`. */
  readonly name: string
  /** Follows the registry, from now until the returned function is called. Never throws: what is wrong goes to {@link RegistrySink.failing}. */
  follow(sink: RegistrySink): Unsubscribe
}

export interface RegistrySink {
  /** All that the registry has. What it gave before and has no more is removed; the first call makes it ready. */
  replace(resources: readonly AnyResource[]): void
  /** A part of it that changed. */
  change(batch: Batch): void
  /** Why the registry cannot be asked at present; what it gave stays in force. Undefined: it can again. */
  failing(reason: string | undefined): void
  /** What is wrong with single objects, by their keys in the registry; they keep their last good version. An empty list: nothing. */
  report(object: string, problems: readonly Diagnostic[]): void
}

export interface FollowedRegistry {
  /** Resolves when everything is there for the first time. */
  readonly ready: Promise<void>
  readonly diagnostics: Watch<readonly Diagnostic[]>
  /** Stops following; what the registry gave stays. */
  close(): void
}

/** Keeps what a registry knows in a store. Objects that others put there stay untouched, but for those of the same key. */
export function followRegistry(registry: Registry, { store }: { store: Pick<Store, 'apply'> }): FollowedRegistry {
  const owned = new Set<ResourceKey>()
  const reports = new Map<string, readonly Diagnostic[]>()
  const diagnostics = createWatch<readonly Diagnostic[]>([])
  let failure: readonly Diagnostic[] = []
  let closed = false
  let isReady = (): void => {}
  const ready = new Promise<void>((resolve) => (isReady = resolve))
  const publish = (): void => diagnostics.set([...failure, ...[...reports.values()].flat()])

  const apply = ({ set = [], remove = [] }: Batch): void => {
    if (closed) return
    const gone = remove.filter((key) => owned.delete(key))
    for (const resource of set) owned.add(keyOf(resource))
    if (set.length + gone.length > 0) store.apply({ set, remove: gone })
  }
  const stop = registry.follow({
    change: apply,
    replace(resources) {
      const kept = new Set(resources.map(keyOf))
      apply({ set: resources, remove: [...owned].filter((key) => !kept.has(key)) })
      isReady()
    },
    failing(reason) {
      if (reason === undefined && failure.length === 0) return
      const message = `${registry.name} cannot be asked, what it said stays in force: ${reason}`
      failure = reason === undefined ? [] : [{ code: 'config.registry', severity: 'error', path: '', message }]
      if (!closed) publish()
    },
    report(object, problems) {
      if (problems.length === 0 && !reports.has(object)) return
      if (problems.length === 0) reports.delete(object)
      else reports.set(object, problems)
      if (!closed) publish()
    },
  })
  return {
    ready,
    diagnostics,
    close() {
      closed = true
      stop()
    },
  }
}
