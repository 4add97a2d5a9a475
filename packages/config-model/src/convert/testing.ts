import { readYaml } from '../read.js'
import { createStore, type Store } from '../store.js'
import type { Condition } from './status.js'

/** A store of what a YAML stream says, without addresses for ServiceEntries. */
export function storeOf(...texts: readonly string[]): Store {
  const store = createStore({ allocateAddresses: false })
  apply(store, ...texts)
  return store
}

export function apply(store: Store, ...texts: readonly string[]): void {
  const { resources, diagnostics } = readYaml(texts.join('\n---\n'), { file: 'mesh.yaml' })
  const bad = diagnostics.find(({ severity }) => severity === 'error')
  if (bad !== undefined) throw new Error(`${bad.path}: ${bad.message}`)
  store.apply({ set: resources })
}

/** `Accepted=True/Accepted`, of a list of conditions somewhere in a status. */
export function said(store: Store, key: string, ...path: readonly (string | number)[]): string[] {
  let at: unknown = store.collections.statuses.get(key)?.status
  for (const step of path) at = (at as Record<string | number, unknown> | undefined)?.[step]
  return ((at as { conditions?: readonly Condition[] } | undefined)?.conditions ?? []).map(
    ({ type, status, reason }) => `${type}=${status}/${reason}`,
  )
}
