import type { JWTRule, MeshService, MeshSnapshot } from '@heddle/config-model'
import { isAttached } from '../policy-targets.js'
import type { ProxyDescriptor } from '../proxy.js'

/** The JWT rules of a workload by issuer: those of the root namespace and of its own that select it, all of them together. */
export function jwtRulesFor(snapshot: MeshSnapshot, proxy: ProxyDescriptor, service?: MeshService): readonly JWTRule[] {
  const root = snapshot.meshConfig.rootNamespace
  const all = snapshot.list('RequestAuthentication').filter((policy) => isAttached(policy, proxy, root, service))
  const rules = [
    ...all.filter(({ metadata }) => metadata.namespace === root),
    ...all.filter(({ metadata }) => metadata.namespace !== root),
  ].flatMap(({ spec }) => spec.jwtRules ?? [])
  return rules.sort((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0))
}
