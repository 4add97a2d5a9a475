import { type Clock, createWatch, type Watch } from '@heddle/runtime'
import type { ApplyUpdate } from './client.js'

export interface StartUpOptions {
  /** What comes over the stream. */
  clusters: boolean
  listeners: boolean
  clusterTypeUrl: string
  listenerTypeUrl: string
  /** RTDS is asked for before everything else, and waited for so many milliseconds at most; 0: for ever. */
  runtime?: { ask(): void; readonly timeoutMs: number } | undefined
  clock: Clock
  warming: Watch<{ readonly clusters: number; readonly listeners: number }>
  subscribeAll(typeUrl: string): void
}

/** The order in which a proxy comes up. */
export interface StartUp {
  /** Listeners are asked for once the first clusters are warm, so that the first request finds its cluster. */
  begin(): void
  /** Wraps the store's apply to see what has come. */
  watchUpdates(apply: ApplyUpdate): ApplyUpdate
  /** True when everything that was asked for first has come and is warm; never false again. */
  readonly ready: Watch<boolean>
}

/** Runtime values, clusters with their endpoints, then listeners and their routes: Envoy's order of initialization. */
export function createStartUp(options: StartUpOptions): StartUp {
  const ready = createWatch(false)
  const arrived = new Set<string>()
  let begun = false
  let listenersAsked = false
  let runtimeSettled = options.runtime === undefined

  const look = (): void => {
    if (!begun || !runtimeSettled || ready.current) return
    const { clusters, listeners } = options.warming.current
    if (options.clusters && (!arrived.has(options.clusterTypeUrl) || (clusters > 0 && !listenersAsked))) return
    if (!listenersAsked) {
      listenersAsked = true
      if (options.listeners) options.subscribeAll(options.listenerTypeUrl)
    }
    if (options.listeners && !arrived.has(options.listenerTypeUrl)) return
    if (clusters === 0 && listeners === 0) ready.set(true)
  }
  options.warming.subscribe(look)
  const askOn = (): void => {
    runtimeSettled = true
    if (options.clusters) options.subscribeAll(options.clusterTypeUrl)
    look()
  }

  return {
    ready,
    begin() {
      begun = true
      const { runtime, clock } = options
      runtime?.ask()
      if (runtimeSettled) askOn()
      else if (runtime !== undefined && runtime.timeoutMs > 0)
        clock.after(runtime.timeoutMs, () => {
          if (!runtimeSettled) askOn()
        })
    },
    watchUpdates: (apply) => async (update) => {
      const rejections = await apply(update)
      arrived.add(update.typeUrl)
      if (runtimeSettled) look()
      else askOn()
      return rejections
    },
  }
}
