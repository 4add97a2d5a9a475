import type { Watch } from '@heddle/runtime'

export interface ReadinessOptions {
  /** Of the proxy's admin pages: `http://127.0.0.1:15000` */
  readonly admin: string
  /** Of the supervised process. */
  readonly running: Watch<number | undefined>
  draining(): boolean
  /** What the agent itself still waits for; undefined: nothing. */
  waitsFor?(): string | undefined
}

/** Whether the proxy takes traffic: it runs, it has had clusters and listeners from the control plane, and it says that it is live. */
export interface Readiness {
  /** The proxy has answered a response of this type. */
  answered(typeUrl: string): void
  /** Undefined: ready. */
  notReady(): Promise<string | undefined>
}

const FIRST = ['type.googleapis.com/envoy.config.cluster.v3.Cluster', 'type.googleapis.com/envoy.config.listener.v3.Listener']

export function createReadiness({ admin, running, draining, waitsFor }: ReadinessOptions): Readiness {
  const had = new Set<string>()
  running.subscribe((pid) => {
    // A proxy that was started again has no configuration yet.
    if (pid === undefined) had.clear()
  })
  return {
    answered: (typeUrl) => void had.add(typeUrl),
    async notReady() {
      if (draining()) return 'draining'
      if (running.current === undefined) return 'the proxy does not run'
      const missing = FIRST.filter((type) => !had.has(type))
      if (missing.length > 0) return `no configuration yet: ${missing.map((type) => type.split('.').at(-1)).join(', ')}`
      const waited = waitsFor?.()
      if (waited !== undefined) return waited
      try {
        const response = await fetch(`${admin}/ready`, { signal: AbortSignal.timeout(1_000) })
        const state = (await response.text()).trim()
        return response.status === 200 ? undefined : `the proxy is ${state}`
      } catch (error) {
        return `the proxy's admin page does not answer: ${error instanceof Error ? error.message : String(error)}`
      }
    },
  }
}
