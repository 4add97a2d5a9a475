import type { KindSources } from './catalog/sources.js'
import type { AnyResource, KindName } from './kinds/index.js'
import type { Namespace } from './kinds/kubernetes/namespace.js'
import type { MeshConfig } from './kinds/mesh-config.js'
import { matchesSelector } from './names/labels.js'
import { clusterOf, inCluster, nameKey, type ObjectMeta } from './resource.js'

/**
 * Keeps objects of namespaces that the mesh does not look at (MeshConfig.discoverySelectors) out of the collections, until it does. As in Istio a
 * namespace counts when its labels match one of the selectors, the root namespace too; without selectors all count.
 */
export interface Discovery {
  /** Takes up a batch; call it inside a pass. `mesh` is the mesh config as the batch leaves it. */
  write(mesh: MeshConfig, set: readonly AnyResource[], remove: readonly (readonly [kind: string, name: string])[]): void
}

type Selectors = MeshConfig['discoverySelectors']

export function createDiscovery(sources: KindSources): Discovery {
  const namespaces = new Map<string, Namespace>()
  const hidden = new Map<string, AnyResource>()
  let selectors: Selectors = []

  const discovers = (metadata: ObjectMeta, among: Selectors): boolean => {
    if (among.length === 0) return true
    const labels = namespaces.get(inCluster(metadata.namespace, clusterOf(metadata)))?.metadata.labels
    return labels !== undefined && among.some((selector) => matchesSelector(selector, labels))
  }
  const put = (resource: AnyResource): void => {
    const name = nameKey(resource.metadata)
    const key = `${resource.kind} ${name}`
    const shown = isAlwaysShown(resource) || discovers(resource.metadata, selectors)
    if (shown) hidden.delete(key)
    else hidden.set(key, resource)
    if (shown) sourceOf(sources, resource.kind)?.set(name, resource)
    else sourceOf(sources, resource.kind)?.delete(name)
  }
  const takeUp = (set: readonly AnyResource[], remove: readonly (readonly [string, string])[]): boolean => {
    let changed = false
    for (const [kind, name] of remove) if (kind === 'Namespace') changed = namespaces.delete(name.slice(1)) || changed
    for (const resource of set) {
      if (resource.kind !== 'Namespace') continue
      namespaces.set(inCluster(resource.metadata.name, clusterOf(resource.metadata)), resource)
      changed = true
    }
    return changed
  }
  return {
    write(mesh, set, remove) {
      const moved = takeUp(set, remove)
      if (selectors !== mesh.discoverySelectors || (moved && selectors.length > 0)) {
        selectors = mesh.discoverySelectors
        for (const resource of [...shownNow(sources), ...hidden.values()]) put(resource)
      }
      for (const [kind, name] of remove) {
        hidden.delete(`${kind} ${name}`)
        sourceOf(sources, kind)?.delete(name)
      }
      for (const resource of set) put(resource)
    },
  }
}

// They say which namespaces count, or belong to none.
function isAlwaysShown({ kind, metadata }: AnyResource): boolean {
  return kind === 'Namespace' || kind === 'ConfigMap' || metadata.namespace === ''
}

function* shownNow(sources: KindSources): Iterable<AnyResource> {
  for (const source of Object.values(sources)) for (const [, resource] of source.entries()) yield resource as AnyResource
}

function sourceOf(
  sources: KindSources,
  kind: string,
): { set(name: string, resource: AnyResource): void; delete(name: string): void } | undefined {
  return Object.hasOwn(sources, kind) ? (sources[kind as KindName] as never) : undefined
}
