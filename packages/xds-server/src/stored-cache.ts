import { type Clock, createWatch, type Logger, silentLogger, systemClock, type Unsubscribe, type Watch } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'

/**
 * Where several replicas of a server have their resources: etcd, Kubernetes, a database. They share nothing else, and agree all the same: versions
 * are content, so a client that goes from one to another is sent nothing twice (xds-protocol 75).
 */
export interface ResourceStore {
  /** What the node gets now; undefined: nothing yet, it waits. Rejects when the store cannot be read. */
  read(nodeId: string): Promise<ResourceSet | undefined>
  /** Calls `changed` when what a node gets may have changed; undefined stands for all nodes. */
  subscribe(changed: (nodeId: string | undefined) => void): Unsubscribe
}

export interface StoredCacheOptions {
  readonly store: ResourceStore
  /** After which a read that has failed is tried again; milliseconds, default 1,000. Meanwhile clients keep what they have. */
  readonly retryMs?: number
  readonly clock?: Clock
  readonly logger?: Logger
}

/** Reads a node's resources from a store, and again when they change; only for nodes that are connected. */
export interface StoredCache {
  /** Give it to `createXdsServer` as `resources: (node) => cache.watch(node.id)`. */
  watch(nodeId: string): Watch<ResourceSet | undefined>
  /** Stops listening to the store. */
  close(): void
}

export function createStoredCache(options: StoredCacheOptions): StoredCache {
  const { store, retryMs = 1_000, clock = systemClock, logger = silentLogger } = options
  const readers = new Map<string, Reader>()
  const stop = store.subscribe((nodeId) => {
    for (const reader of nodeId === undefined ? readers.values() : [readers.get(nodeId)]) reader?.read()
  })
  return {
    watch: (nodeId) => ({
      get current() {
        return readers.get(nodeId)?.watch.current
      },
      subscribe(changed) {
        const reader = readers.get(nodeId) ?? createReader(nodeId, { store, retryMs, clock, logger })
        readers.set(nodeId, reader)
        reader.users++
        const unsubscribe = reader.watch.subscribe(changed)
        return () => {
          unsubscribe()
          if (--reader.users > 0) return
          reader.close()
          readers.delete(nodeId)
        }
      },
    }),
    close() {
      stop()
      for (const reader of readers.values()) reader.close()
    },
  }
}

interface Reader {
  readonly watch: Watch<ResourceSet | undefined>
  users: number
  read(): void
  close(): void
}

/** One read at a time; what changes meanwhile is read by one more. */
function createReader(nodeId: string, { store, retryMs, clock, logger }: Required<StoredCacheOptions>): Reader {
  const watch = createWatch<ResourceSet | undefined>(undefined)
  let busy = false
  let again = false
  let closed = false
  let retry: Unsubscribe | undefined
  const run = async (): Promise<void> => {
    busy = true
    while (again && !closed) {
      again = false
      try {
        const set = await store.read(nodeId)
        if (!closed && set !== undefined) watch.set(set)
      } catch (error) {
        logger.warn({ error, nodeId }, 'the store of xDS resources cannot be read')
        retry?.()
        if (!closed) retry = clock.after(retryMs, read)
      }
    }
    busy = false
  }
  const read = (): void => {
    again = true
    if (!busy && !closed) void run()
  }
  read()
  return {
    watch,
    users: 0,
    read,
    close() {
      closed = true
      retry?.()
    },
  }
}
