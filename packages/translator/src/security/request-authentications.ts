import { type JWTRule, type MeshSnapshot, selects } from '@heddle/config-model'
import type { ProxyDescriptor } from '../proxy.js'

/** The JWT rules of a workload by issuer: those of the root namespace and of its own that select it, all of them together. */
export function jwtRulesFor(snapshot: MeshSnapshot, proxy: ProxyDescriptor): readonly JWTRule[] {
  const root = snapshot.meshConfig.rootNamespace
  const namespaces = root === proxy.namespace ? [root] : [root, proxy.namespace]
  const all = snapshot.list('RequestAuthentication')
  if (all.length === 0) return []
  const rules = namespaces.flatMap((namespace) =>
    all
      .filter(
        ({ metadata, spec }) =>
          metadata.namespace === namespace &&
          spec.targetRef === undefined &&
          (spec.targetRefs ?? []).length === 0 &&
          selects(spec.selector?.matchLabels, proxy.labels),
      )
      .flatMap(({ spec }) => spec.jwtRules ?? []),
  )
  return rules.sort((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0))
}
