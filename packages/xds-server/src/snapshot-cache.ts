import { createWatch, type Unsubscribe, type Watch, type WatchSource } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'

/** What has been set for one node. */
export interface SnapshotChange {
  readonly nodeId: string
  readonly set: ResourceSet | undefined
}

/**
 * Resource sets by node id. A node without one waits: its requests are answered when the first set comes. The content decides what
 * is pushed: setting an equal one, even of other objects, pushes nothing.
 */
export interface SnapshotCache {
  /** Replaces what `nodeId` gets. */
  set(nodeId: string, set: ResourceSet): void
  get(nodeId: string): ResourceSet | undefined
  /** Forgets the node. A connected client keeps what it has: nothing is ever deleted by forgetting. */
  clear(nodeId: string): void
  nodeIds(): Iterable<string>
  /** The node's set as it changes; give it to `createXdsServer` as `resources: (node) => cache.watch(node.id)`. */
  watch(nodeId: string): Watch<ResourceSet | undefined>
  subscribe(changed: (change: SnapshotChange) => void): Unsubscribe
}

interface Slot {
  readonly source: WatchSource<ResourceSet | undefined>
  watchers: number
}

export function createSnapshotCache(): SnapshotCache {
  const slots = new Map<string, Slot>()
  const subscribers = new Set<(change: SnapshotChange) => void>()

  const slotOf = (nodeId: string): Slot => {
    let slot = slots.get(nodeId)
    if (slot === undefined) slots.set(nodeId, (slot = { source: createWatch<ResourceSet | undefined>(undefined), watchers: 0 }))
    return slot
  }
  const publish = (nodeId: string, set: ResourceSet | undefined): void => {
    const slot = slotOf(nodeId)
    if (slot.source.current === set) return
    slot.source.set(set)
    for (const changed of [...subscribers]) changed({ nodeId, set })
  }
  const dropIfUnused = (nodeId: string, slot: Slot): void => {
    if (slot.watchers === 0 && slot.source.current === undefined && slots.get(nodeId) === slot) slots.delete(nodeId)
  }
  return {
    set: (nodeId, set) => publish(nodeId, set),
    get: (nodeId) => slots.get(nodeId)?.source.current,
    clear(nodeId) {
      const slot = slots.get(nodeId)
      if (slot === undefined) return
      publish(nodeId, undefined)
      dropIfUnused(nodeId, slot)
    },
    *nodeIds() {
      for (const [nodeId, { source }] of slots) if (source.current !== undefined) yield nodeId
    },
    watch(nodeId) {
      return {
        get current() {
          return slots.get(nodeId)?.source.current
        },
        subscribe(changed) {
          const slot = slotOf(nodeId)
          slot.watchers++
          const stop = slot.source.subscribe(changed)
          let stopped = false
          return () => {
            if (stopped) return
            stopped = true
            stop()
            slot.watchers--
            dropIfUnused(nodeId, slot)
          }
        },
      }
    },
    subscribe(changed) {
      const own = (change: SnapshotChange): void => changed(change)
      subscribers.add(own)
      return () => {
        subscribers.delete(own)
      }
    },
  }
}
