import { type Clock, createBackoff, type Random } from '@heddle/runtime'
import { pause } from '../registries/pause.js'
import { ApiError, type ApiServer } from './api-server.js'

/** Hears of the objects of one kind. */
export interface Watcher {
  /** All there are. */
  listed(objects: readonly KubernetesObject[]): void
  changed(object: KubernetesObject): void
  removed(object: KubernetesObject): void
  /** Why they cannot be had at present; undefined: they can. */
  failing(reason: string | undefined): void
}

export interface KubernetesObject {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion?: string }
}

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly KubernetesObject[]
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubernetesObject & { readonly code?: number; readonly message?: string }
}

export interface ListWatchOptions {
  readonly api: ApiServer
  readonly clock: Clock
  readonly random: Random
  /** `/api/v1/pods`. */
  readonly path: string
  /** apiVersion and kind, which the elements of a list leave out. */
  readonly type: { readonly apiVersion: string; readonly kind: string }
  /** Objects a page; default 500. */
  readonly pageSize?: number
}

/** Lists, then watches from there, until aborted; begins anew when the server has forgotten where (410 Gone). kubernetes.io/docs/reference/using-api/api-concepts */
export async function listWatch(options: ListWatchOptions, watcher: Watcher, signal: AbortSignal): Promise<void> {
  const { clock, random } = options
  const backoff = createBackoff({ clock, random })
  let version: string | undefined
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        version = await listAll(options, watcher, signal)
        watcher.failing(undefined)
      }
      version = await watchFrom(version, options, watcher, signal)
      backoff.reset()
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof ApiError && error.status === 410) version = undefined
      else watcher.failing(error instanceof Error ? error.message : String(error))
      await pause(clock, backoff.nextDelay(), signal)
    }
  }
}

async function listAll(
  { api, path, type, pageSize = 500 }: ListWatchOptions,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<string> {
  const objects: KubernetesObject[] = []
  let page = ''
  for (;;) {
    const list: List = await api.get<List>(`${path}?limit=${pageSize}${page}`, signal)
    for (const item of list.items) objects.push({ ...type, ...item })
    if (list.metadata.continue === undefined || list.metadata.continue === '') {
      watcher.listed(objects)
      return list.metadata.resourceVersion
    }
    page = `&continue=${encodeURIComponent(list.metadata.continue)}`
  }
}

/** Where the stream ended. */
async function watchFrom(
  from: string,
  { api, path, type }: ListWatchOptions,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<string> {
  let version = from
  await api.stream(`${path}?watch=1&allowWatchBookmarks=true&resourceVersion=${from}`, signal, (line) => {
    const event = line as WatchEvent
    // A stream that speaks is none that fails.
    watcher.failing(undefined)
    if (event.type === 'ERROR') throw new ApiError(path, event.object.code ?? 500, event.object.message ?? '')
    version = event.object.metadata.resourceVersion ?? version
    if (event.type === 'DELETED') watcher.removed({ ...type, ...event.object })
    else if (event.type !== 'BOOKMARK') watcher.changed({ ...type, ...event.object })
  })
  return version
}
