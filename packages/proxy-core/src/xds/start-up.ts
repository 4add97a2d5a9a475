import { type Clock, createWatch, type Unsubscribe, type Watch } from '@heddle/runtime'
import type { ApplyUpdate } from './client.js'

export interface StartUpOptions {
  /** What comes over the stream, and how many milliseconds it is waited for at most; 0: for ever. */
  clusters: { readonly timeoutMs: number } | undefined
  listeners: { readonly timeoutMs: number } | undefined
  clusterTypeUrl: string
  listenerTypeUrl: string
  /** RTDS is asked for before everything else, and waited for so many milliseconds at most; 0: for ever. */
  runtime?: { ask(): void; readonly typeUrl: string; readonly timeoutMs: number } | undefined
  clock: Clock
  warming: Watch<{ readonly clusters: number; readonly listeners: number }>
  subscribeAll(typeUrl: string): void
  /** Nothing of the type has come in time. */
  notInTime(typeUrl: string): void
}

/** The order in which a proxy comes up. */
export interface StartUp {
  /** Listeners are asked for once the first clusters are warm, so that the first request finds its cluster. */
  begin(): void
  /** Wraps the store's apply to see what has come. */
  watchUpdates(apply: ApplyUpdate): ApplyUpdate
  /** True when everything that was asked for first has come and is warm; never false again. */
  readonly ready: Watch<boolean>
  /** Nothing is waited for any more. */
  close(): void
}

/** Runtime values, clusters with their endpoints, then listeners and their routes: Envoy's order of initialization. */
export function createStartUp(options: StartUpOptions): StartUp {
  const ready = createWatch(false)
  const arrived = new Set<string>()
  const timers: Unsubscribe[] = []
  let begun = false
  let listenersAsked = false
  let runtimeSettled = options.runtime === undefined

  /** initial_fetch_timeout: what does not come is gone on without, as if it were nothing. */
  const ask = (typeUrl: string, timeoutMs: number): void => {
    options.subscribeAll(typeUrl)
    waitAtMost(timeoutMs, () => {
      if (arrived.has(typeUrl)) return
      options.notInTime(typeUrl)
      arrived.add(typeUrl)
      look()
    })
  }
  const waitAtMost = (timeoutMs: number, run: () => void): void => {
    if (timeoutMs > 0) timers.push(options.clock.after(timeoutMs, run))
  }
  const look = (): void => {
    if (!begun || !runtimeSettled || ready.current) return
    const { clusters, listeners } = options.warming.current
    if (options.clusters !== undefined && (!arrived.has(options.clusterTypeUrl) || (clusters > 0 && !listenersAsked))) return
    if (!listenersAsked) {
      listenersAsked = true
      if (options.listeners !== undefined) ask(options.listenerTypeUrl, options.listeners.timeoutMs)
    }
    if (options.listeners !== undefined && !arrived.has(options.listenerTypeUrl)) return
    if (clusters === 0 && listeners === 0) ready.set(true)
  }
  options.warming.subscribe(look)
  const askOn = (): void => {
    runtimeSettled = true
    if (options.clusters !== undefined) ask(options.clusterTypeUrl, options.clusters.timeoutMs)
    look()
  }

  return {
    ready,
    begin() {
      begun = true
      const { runtime } = options
      runtime?.ask()
      if (runtimeSettled) askOn()
      else if (runtime !== undefined)
        waitAtMost(runtime.timeoutMs, () => {
          if (runtimeSettled) return
          options.notInTime(runtime.typeUrl)
          askOn()
        })
    },
    watchUpdates: (apply) => async (update) => {
      const rejections = await apply(update)
      arrived.add(update.typeUrl)
      if (runtimeSettled) look()
      else askOn()
      return rejections
    },
    close() {
      for (const stop of timers) stop()
    },
  }
}
