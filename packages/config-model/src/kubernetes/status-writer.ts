import { type Clock, type Collection, createBackoff, equal, type Random, systemRandom, type Unsubscribe } from '@heddle/runtime'
import type { ResourceStatus } from '../convert/status.js'
import type { KindName } from '../kinds/index.js'
import { ApiError, type ClientConfig, createApiServer } from './api-server.js'
import { type ApiResource, discover } from './discovery.js'

export interface StatusWriterOptions {
  /** A `KubeConfig` of @kubernetes/client-node. */
  readonly config: ClientConfig
  readonly clock: Clock
  /** Default {@link systemRandom}. */
  readonly random?: Random
  /** What objects should have: `store.collections.statuses`. */
  readonly statuses: Collection<ResourceStatus>
  /** Told why a status could not be written; it is tried again unless the object is gone. */
  readonly onError?: (key: string, reason: string) => void
}

/**
 * Writes statuses into a cluster, the newest of each object, one after the other. Several replicas of a control plane must agree who does so. A time of
 * transition that the status leaves out is now.
 */
export function writeStatuses(options: StatusWriterOptions): Unsubscribe {
  const { config, clock, random = systemRandom, statuses, onError = () => {} } = options
  const abort = new AbortController()
  const send = createSender(config, clock, abort.signal)
  const backoff = createBackoff({ clock, random })
  const written = new Map<string, unknown>()
  const pending = new Map<string, ResourceStatus>()
  let busy = false
  let waiting: Unsubscribe = () => {}

  const drain = async (): Promise<void> => {
    if (busy) return
    busy = true
    while (!abort.signal.aborted) {
      const [first] = pending
      if (first === undefined) break
      const [key, wanted] = first
      pending.delete(key)
      if (equal(written.get(key), wanted.status)) continue
      try {
        await send(wanted)
        written.set(key, wanted.status)
        backoff.reset()
      } catch (error) {
        if (abort.signal.aborted) break
        onError(key, error instanceof Error ? error.message : String(error))
        if (error instanceof ApiError && error.status === 404) continue
        if (!pending.has(key)) pending.set(key, wanted)
        waiting = backoff.retry(() => void drain())
        break
      }
    }
    busy = false
  }
  const take = (key: string, status: ResourceStatus | undefined): void => {
    if (status === undefined) {
      pending.delete(key)
      written.delete(key)
    } else pending.set(key, status)
  }
  for (const [key, status] of statuses.entries()) take(key, status)
  const unsubscribe = statuses.subscribe((changes) => {
    for (const { key, after } of changes) take(key, after)
    waiting()
    void drain()
  })
  void drain()
  return () => {
    unsubscribe()
    waiting()
    abort.abort()
  }
}

/** Patches the status of one object, wherever the server has its kind. */
function createSender(config: ClientConfig, clock: Clock, signal: AbortSignal): (wanted: ResourceStatus) => Promise<void> {
  const api = createApiServer(config)
  const resources = new Map<KindName, ApiResource>()
  return async ({ source, kind, namespace, name, status }) => {
    const resource = resources.get(source) ?? (await discover(api, new Set([source]), signal)).get(source)
    if (resource === undefined) throw new Error(`the server has no ${kind}`)
    resources.set(source, resource)
    const home = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
    const path = `${resource.base}${home}/${resource.plural}/${encodeURIComponent(name)}/status`
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    await api.patch(path, { status: stamped(status, now) }, signal)
  }
}

/** Conditions without a time of transition get `now`, at any depth: routes have them below their parents. */
function stamped(value: unknown, now: string): unknown {
  if (Array.isArray(value)) return value.map((element) => stamped(element, now))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, stamped(inner, now)] as const)
  const isCondition = 'type' in value && 'status' in value && 'reason' in value
  const time = isCondition && !('lastTransitionTime' in value) ? { lastTransitionTime: now } : {}
  return { ...Object.fromEntries(entries), ...time }
}
