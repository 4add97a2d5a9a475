import { type Diagnostic, problem } from '@heddle/runtime'
import type { ResourceSet } from '@heddle/xds-types'
import type { TypeRule } from './protocol/stream-protocol.js'
import type { SnapshotView, ViewResources } from './resource-view.js'

/**
 * What becomes of a set in which something refers to what is not there, or something is there to which nothing refers (xds-protocol 68).
 * - `strict`: it is not sent; the client keeps what it has until a whole one comes
 * - `warn`: it is sent, and told
 * - `off`: nobody looks. Istio's control plane leaves dangling references on purpose
 */
export type Consistency = 'strict' | 'warn' | 'off'

const PREFIX = 'type.googleapis.com/envoy.config.'
/** Types that exist only for others that name them. Secrets may come from elsewhere, from an agent for instance. */
const REFERRED: readonly string[] = [`${PREFIX}endpoint.v3.ClusterLoadAssignment`, `${PREFIX}route.v3.RouteConfiguration`]
const REFERRING: readonly string[] = [
  `${PREFIX}cluster.v3.Cluster`,
  `${PREFIX}listener.v3.Listener`,
  `${PREFIX}route.v3.ScopedRouteConfiguration`,
]

/** What is wrong with a set: `xds.missing_resource`, `xds.orphan_resource`. Looked for once per set. */
export function createConsistencyCheck(
  views: ViewResources,
  ruleOf: (typeUrl: string) => TypeRule | undefined,
): (set: ResourceSet) => readonly Diagnostic[] {
  const known = new WeakMap<ResourceSet, readonly Diagnostic[]>()
  return (set) => {
    const found = known.get(set) ?? check(views(set), ruleOf)
    known.set(set, found)
    return found
  }
}

function check(view: SnapshotView, ruleOf: (typeUrl: string) => TypeRule | undefined): readonly Diagnostic[] {
  const wanted = new Map<string, Map<string, string>>(REFERRED.map((typeUrl) => [typeUrl, new Map()]))
  for (const typeUrl of REFERRING) {
    const rule = ruleOf(typeUrl)
    if (rule === undefined) continue
    for (const resource of view.type(typeUrl).resources()) {
      for (const reference of rule.references(resource)) {
        wanted.get(reference.typeUrl)?.set(reference.name, `${rule.shortName} ${resource.name}`)
      }
    }
  }
  const diagnostics: Diagnostic[] = []
  for (const [typeUrl, names] of wanted) {
    const there = view.type(typeUrl)
    const what = ruleOf(typeUrl)?.shortName ?? typeUrl
    for (const [name, by] of names) {
      if (there.get(name) === undefined)
        diagnostics.push(problem('xds.missing_resource', '', `${by} refers to ${what} ${name}, which is not in the set`))
    }
    for (const { name } of there.resources()) {
      if (!names.has(name)) diagnostics.push(problem('xds.orphan_resource', '', `nothing refers to ${what} ${name}`))
    }
  }
  return diagnostics
}
