import type { JWTRule, MeshSnapshot } from '@heddle/config-model'
import { selectsProxy } from '../ask.js'
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
          selectsProxy(spec.selector?.matchLabels, proxy),
      )
      .flatMap(({ spec }) => spec.jwtRules ?? []),
  )
  return rules.sort((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0))
}
