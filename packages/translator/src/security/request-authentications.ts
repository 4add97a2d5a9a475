import type { JWTRule, MeshService } from '@heddle/config-model'
import type { Build } from '../build.js'
import { isAttached } from '../policy-targets.js'

/** The JWT rules of a workload by issuer: those of the root namespace and of its own that select it, all of them together. */
export function jwtRulesFor(build: Build, service?: MeshService): readonly JWTRule[] {
  return build.memo.of('JWT rules', [service], () => attached(build, service))
}

function attached({ snapshot, proxy }: Build, service: MeshService | undefined): readonly JWTRule[] {
  const root = snapshot.meshConfig.rootNamespace
  const all = snapshot.list('RequestAuthentication').filter((policy) => isAttached(policy, proxy, root, service))
  const rules = [
    ...all.filter(({ metadata }) => metadata.namespace === root),
    ...all.filter(({ metadata }) => metadata.namespace !== root),
  ].flatMap(({ spec }) => spec.jwtRules ?? [])
  return rules.sort((a, b) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0))
}
