import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SyncStatus } from './control-plane.js'
import { askJson, until } from './outside.js'
import { here, type Stage } from './stage.js'

/** What a change of configuration took: from writing the file to the last proxy's ACK. */
export interface Change {
  readonly ms: number
  /** Proxies that have acknowledged what follows from it. */
  readonly acks: number
}

/** Changes of the watched folder. */
export interface Changes {
  /** Puts a file of scenes/ in place, `values` for the names in it, and waits until every proxy has acknowledged what follows from it. */
  apply(target: string, scene: string, values?: Readonly<Record<string, string>>): Promise<Change>
  remove(target: string): Promise<Change>
  /** Puts a new certificate into the Secret of https://apps.example. */
  renewSiteCertificate(): Promise<Change>
  /** Puts a file in place, or takes it away, of which nothing will be or was in force: there is nothing to wait for. */
  copy(target: string, scene: string): void
  discard(target: string): void
  /** Runs `change` and waits until every proxy is connected and has all there is. */
  whenSynced(change: () => Promise<void>): Promise<Change>
}

export function createChanges({ home, config, pods, controlPlane, outsidePort, site }: Stage): Changes {
  const status = (): Promise<SyncStatus> => askJson<SyncStatus>(`${controlPlane.url}/debug/syncz`)
  const synced = ({ proxies }: SyncStatus): boolean => proxies.length === pods.length && proxies.every((proxy) => proxy.synced)

  const measure = async (change: () => void | Promise<void>, settledAfter: number): Promise<Change> => {
    const start = performance.now()
    await change()
    const now = await until(status, (s) => s.settled > settledAfter && synced(s), 'every proxy acknowledges the change')
    return { ms: performance.now() - start, acks: now.proxies.length }
  }
  const afterNow = async (change: () => void): Promise<Change> => measure(change, (await status()).settled)
  /** By rename, so that no reader meets half a file. */
  const put = (target: string, text: string): void => {
    const draft = join(home, 'draft.yaml')
    writeFileSync(draft, text)
    renameSync(draft, join(config, target))
  }
  const copy = (target: string, scene: string, values: Readonly<Record<string, string>> = {}): void => {
    const text = readFileSync(here(`../scenes/${scene}`), 'utf8')
    const all = Object.entries({ PORT_OUTSIDE: String(outsidePort), ...values })
    put(
      target,
      all.reduce((filled, [name, value]) => filled.replaceAll(name, value), text),
    )
  }
  return {
    copy,
    apply: (target, scene, values) => afterNow(() => copy(target, scene, values)),
    renewSiteCertificate: async () => {
      const secret = await site.secretYaml()
      return afterNow(() => put('site.yaml', secret))
    },
    remove: (target) => afterNow(() => rmSync(join(config, target))),
    discard: (target) => rmSync(join(config, target)),
    // A control plane that starts anew counts its revisions anew.
    whenSynced: (change) => measure(change, -1),
  }
}
